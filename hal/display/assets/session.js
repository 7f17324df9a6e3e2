// Who may use the page: says so at its foot, and leads to the PIN when the meter asks for it.

import { t } from "./language.js";
import { show, write } from "./page.js";

const ANSWER_MS = 3000;
const element = (id) => document.getElementById(id);
let session = null;

const language = () => "?lang=" + document.documentElement.lang.slice(0, 2);

// Ask something of the meter by a POST that no other web site can send; true when it took it. Who
// must sign in first is led there.
export async function send(path, fields) {
  const headers = { "X-Wattledger": "1" };
  if (fields) headers["Content-Type"] = "application/json";
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers,
      body: fields && JSON.stringify(fields),
      keepalive: true,
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    if (answer.status === 401) location.assign("/form/session" + language());
    return answer.ok;
  } catch {
    return false;
  }
}

export async function loadSession() {
  try {
    session = await (await fetch("/session", { signal: AbortSignal.timeout(ANSWER_MS) })).json();
  } catch {
    session = null; // the offline bar says that the meter does not answer
  }
  paintSession({});
}

// `view.withheld` names what is not shown without the PIN.
export function paintSession(view) {
  if (view.withheld) element("session").dataset.withheld = view.withheld.length;
  show("session", session !== null);
  if (session === null) return;
  const act = (address, key) => {
    show("session-act", true);
    element("session-act").href = address + language();
    write("session-act", t(key));
  };
  let said = "";
  if (session.access === "free") said = t("pin.none");
  else if (session.access === "shut") said = t("pin.shut");
  else if (!session.signed_in) {
    said = element("session").dataset.withheld > 0 ? t("pin.see") : "";
    act("/form/session", "pin.enter");
  } else if (session.label_pin) {
    said = t("pin.label");
    act("/form/pin", "pin.change");
  } else act("/form/leave", "pin.leave");
  write("session-said", said);
}
