// The field for a token. The meter reads and answers it; the page only carries digits.

import { known } from "./format.js";
import { named, t } from "./language.js";
import { post } from "./session.js";

const TAKEN = [1, 2, 3]; // accepted, or a section of a key that was kept
const element = (id) => document.getElementById(id);
let failed = false;

async function send(digits) {
  try {
    failed = !(await post("/token", { token: digits }));
  } catch {
    failed = true;
  }
}

export function tokenField() {
  element("token-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const field = element("token-digits");
    const digits = field.value.replace(/\D/g, "");
    if (!digits) return;
    await send(digits);
    // What the meter did not get stays in the field, to be sent again.
    if (failed) element("token-said").textContent = t("token.failed");
    else field.value = "";
  });
}

export function paintToken(token) {
  element("token-card").hidden = !token;
  if (!token || failed) return;
  const said = element("token-said");
  let words = "";
  if (token.busy) words = t("token.busy");
  else if (known(token.result)) words = named("token_said", token.result);
  else if (token.wait_s > 0) words = t("token_said.15"); // locked before the last restart
  if (!token.busy && token.wait_s > 0) words += t("token.wait", { seconds: token.wait_s });
  if (said.textContent !== words) said.textContent = words;
  said.dataset.good = known(token.result) ? String(TAKEN.includes(token.result)) : "";
}
