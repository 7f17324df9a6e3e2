// Messages of the utility: each must be opened, and what was not opened is counted at the top.

import { dayAndClock, known } from "./format.js";
import { remember, remembered, t } from "./language.js";
import { made, show, write } from "./page.js";

let shown = null;

function readUntil() {
  return Number(remembered("read", "0"));
}

export function paintMessages(view) {
  const messages = (view.messages ?? []).filter((one) => one?.text);
  const unread = messages.filter((one) => !(one.time <= readUntil())).length;
  show("messages", messages.length > 0);
  show("unread", unread > 0);
  write("unread", unread ? t("messages.unread", { count: unread }) : "");
  const now = JSON.stringify([messages, unread, document.documentElement.lang]);
  if (shown === now) return;
  shown = now;
  document.getElementById("message-list").replaceChildren(...messages.map((one) => item(one, view)));
}

function item(message, view) {
  const isNew = !(message.time <= readUntil());
  const when = known(message.time) ? dayAndClock(message.time, view) : "";
  const head = made("summary", {}, isNew ? t("messages.new", { time: when }) : t("messages.old", { time: when }));
  const details = made("details", isNew ? { class: "new" } : {}, head, made("p", {}, String(message.text)));
  if (known(message.until)) {
    const end = t("messages.until", { time: dayAndClock(message.until, view) });
    details.append(made("p", { class: "soft" }, end));
  }
  details.addEventListener("toggle", () => {
    if (!details.open || !known(message.time)) return;
    remember("read", String(Math.max(readUntil(), message.time)));
    details.classList.remove("new");
    head.textContent = t("messages.old", { time: when });
    show("unread", false);
  });
  return details;
}
