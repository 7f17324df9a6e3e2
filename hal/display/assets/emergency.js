// Emergency credit: an offer that is taken with a second tap, so that no child takes it in passing.

import { money } from "./format.js";
import { t } from "./language.js";
import { post } from "./session.js";

const SURE_MS = 8000; // the second tap must follow within

const element = (id) => document.getElementById(id);
let asked = null; // the timer that takes the question back
let failed = false;

export function paintEmergency(view) {
  const credit = view.emergency ?? {};
  const shown = credit.offered === true || credit.accepted === true;
  const amount = money(credit.limit_micro, view.currency);
  element("emergency").hidden = !shown;
  element("emergency-take").hidden = credit.offered !== true;
  if (credit.offered !== true) forget();
  let words = "";
  if (credit.accepted === true) words = t("emergency.taken", { amount });
  else if (credit.offered === true) words = failed ? t("hold.failed") : t("emergency.offer", { amount });
  write("emergency-text", words);
  write("emergency-take", asked ? t("emergency.sure", { amount }) : t("emergency.take", { amount }));
  element("emergency-take").classList.toggle("asked", asked !== null);
}

export function emergencyButton(repaint) {
  element("emergency-take").addEventListener("click", async () => {
    if (asked === null) {
      asked = setTimeout(() => {
        forget();
        repaint();
      }, SURE_MS);
      repaint();
      return;
    }
    forget();
    failed = !(await accept());
    repaint();
  });
}

function forget() {
  clearTimeout(asked);
  asked = null;
}

async function accept() {
  try {
    return await post("/accept");
  } catch {
    return false;
  }
}

function write(id, text) {
  if (element(id).textContent !== text) element(id).textContent = text;
}
