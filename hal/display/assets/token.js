// The field for a token, in groups of four, with keys on the screen. The meter reads and answers it;
// the page only carries digits.

import { known } from "./format.js";
import { named, t } from "./language.js";
import { made, say, show, write } from "./page.js";
import { send } from "./session.js";

const TAKEN = [1, 2, 3]; // accepted, or a section of a key that was kept
const IDLE_MS = 20_000; // digits that nobody goes on with are forgotten, as on a keypad
const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "erase", "0", "enter"];
const MOST = 20;

const element = (id) => document.getElementById(id);
let failed = false;
let cleared = false;
let idle = null;
let token = null; // what the meter said last, and when it came
let tokenAt = 0;
let told = ""; // to who listens

const digits = () => element("token-digits").value.replace(/\D/g, "").slice(0, MOST);

// Groups of four as on the paper, with the caret where the person left it.
function group() {
  const field = element("token-digits");
  const before = field.value.slice(0, field.selectionStart ?? field.value.length).replace(/\D/g, "").length;
  const grouped = digits().replace(/(\d{4})(?=\d)/g, "$1 ");
  if (field.value !== grouped) {
    field.value = grouped;
    const at = Math.min(before + Math.floor(Math.max(before - 1, 0) / 4), grouped.length);
    if (document.activeElement === field) field.setSelectionRange(at, at);
  }
}

function typed() {
  group();
  failed = cleared = false;
  clearTimeout(idle);
  if (digits()) {
    idle = setTimeout(() => {
      element("token-digits").value = "";
      cleared = true;
      paintToken(token, true);
    }, IDLE_MS);
  }
  paintToken(token, true);
}

async function enter() {
  clearTimeout(idle);
  const whole = digits();
  if (!whole) return;
  cleared = false;
  failed = !(await send("/token", { token: whole }));
  // What the meter did not get stays in the field, to be sent again.
  if (!failed) element("token-digits").value = "";
  paintToken(token, true);
}

function press(key) {
  const field = element("token-digits");
  if (key === "enter") return enter();
  field.value = key === "erase" ? digits().slice(0, -1) : digits() + key;
  typed();
}

function keys() {
  const names = { erase: t("token.erase"), enter: t("token.enter") };
  element("token-keys").replaceChildren(
    ...KEYS.map((key) => {
      const button = made("button", { type: "button", "data-key": key }, names[key] ?? key);
      button.addEventListener("click", () => press(key));
      return button;
    }),
  );
}

export function tokenField() {
  element("token-form").addEventListener("submit", (event) => {
    event.preventDefault();
    enter();
  });
  element("token-digits").addEventListener("input", typed);
  element("token-open").addEventListener("click", () => open(element("token-keys").hidden));
  if (matchMedia("(pointer: coarse)").matches) open(true);
  setInterval(() => token && paintToken(token, true), 1000); // the lock-out counts down
}

function open(visible) {
  keys();
  show("token-keys", visible);
  element("token-open").setAttribute("aria-expanded", String(visible));
  // With keys of our own the telephone's keyboard stays away.
  element("token-digits").inputMode = visible ? "none" : "numeric";
}

// `again`: the same token as before, at a later moment.
export function paintToken(next, again = false) {
  if (!again) {
    token = next;
    tokenAt = performance.now();
    if (!element("token-keys").hidden) keysInWords();
  }
  show("token-card", Boolean(token));
  if (!token) return;
  const count = digits().length;
  write("token-count", token.digits ? t("token.count", { count, of: token.digits }) : count ? String(count) : "");
  const words = saying();
  const said = element("token-said");
  write("token-said", words);
  said.dataset.good = !failed && !cleared && known(token.result) ? String(TAKEN.includes(token.result)) : "";
  if (words && words !== told && !token.wait_s) say(words);
  told = words;
}

function keysInWords() {
  const erase = document.querySelector("[data-key=erase]");
  if (erase && erase.textContent !== t("token.erase")) keys();
}

function saying() {
  if (failed) return t("token.failed");
  if (cleared) return t("token.cleared");
  if (token.busy) return t("token.busy");
  const passed = Math.floor((performance.now() - tokenAt) / 1000);
  const wait = Math.max((token.wait_s ?? 0) - passed, 0);
  let words = "";
  if (known(token.result)) words = named("token_said", token.result);
  else if (wait > 0) words = t("token_said.15"); // locked before the last restart
  return wait > 0 ? words + t("token.wait", { seconds: wait }) : words;
}
