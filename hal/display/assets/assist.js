// Remote assistance: who asks to read what until when, and the household's yes or no to it.

import { known, moment } from "./format.js";
import { named, t } from "./language.js";
import { show, write } from "./page.js";
import { send } from "./session.js";

const element = (id) => document.getElementById(id);
let failed = false;

export function paintAssist(view) {
  const assist = view.assist ?? {};
  const open = assist.state === "asked" || assist.state === "on";
  show("assist", open);
  if (!open) {
    failed = false;
    return;
  }
  const asked = assist.state === "asked";
  const time = known(assist.until) ? moment(assist.until, view) : "–";
  const words = { what: named("assist_scope", assist.scope), time };
  const text = asked ? t("assist.asked", words) : t("assist.on", words);
  write("assist-text", failed ? t("hold.failed") : text);
  show("assist-yes", asked);
  write("assist-no", asked ? t("assist.no") : t("assist.end"));
}

export function assistButtons(repaint) {
  for (const word of ["yes", "no"]) {
    element("assist-" + word).addEventListener("click", async () => {
      failed = !(await send("/assist/" + word));
      repaint();
    });
  }
}
