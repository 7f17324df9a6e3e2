// Who may use the page: says so at its foot, and leads to the PIN when the meter asks for it.

import { t } from "./language.js";

const ANSWER_MS = 3000;
const element = (id) => document.getElementById(id);
let session = null;

// Send something to the meter; true when it took it. Who must sign in first is led there.
export async function post(path, fields) {
  const headers = { "X-Wattledger": "1" };
  if (fields) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, {
    method: "POST",
    headers,
    body: fields && JSON.stringify(fields),
    keepalive: true,
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  if (answer.status === 401) location.assign("/form/session?lang=" + document.documentElement.lang.slice(0, 2));
  return answer.ok;
}

export async function loadSession() {
  try {
    session = await (await fetch("/session", { signal: AbortSignal.timeout(ANSWER_MS) })).json();
  } catch {
    session = null; // the offline bar says that the meter does not answer
  }
  paintSession();
}

export function paintSession() {
  element("session").hidden = session === null;
  if (session === null) return;
  const lang = "?lang=" + document.documentElement.lang.slice(0, 2);
  const act = (address, key) => {
    element("session-act").hidden = false;
    element("session-act").href = address + lang;
    element("session-act").textContent = t(key);
  };
  let said = "";
  if (session.access === "free") said = t("pin.none");
  else if (session.access === "shut") said = t("pin.shut");
  else if (!session.signed_in) act("/form/session", "pin.enter");
  else if (session.label_pin) {
    said = t("pin.label");
    act("/form/pin", "pin.change");
  } else act("/form/leave", "pin.leave");
  element("session-said").textContent = said;
}
