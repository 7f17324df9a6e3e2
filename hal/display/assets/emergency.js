// Emergency credit: an offer that is taken with a second tap, so that no child takes it in passing.

import { known, money } from "./format.js";
import { t } from "./language.js";
import { show, write } from "./page.js";
import { send } from "./session.js";

const SURE_MS = 8000; // the second tap must follow within

const element = (id) => document.getElementById(id);
let asked = null; // the timer that takes the question back
let failed = false;

export function paintEmergency(view) {
  const credit = view.emergency ?? {};
  const offered = credit.offered === true;
  const amount = money(credit.limit_micro, view.currency);
  show("emergency", offered || credit.accepted === true);
  show("emergency-take", offered);
  if (!offered) forget();
  element("emergency-text").classList.toggle("notice", credit.state === "in use");
  write("emergency-text", words(credit, view, amount));
  write("emergency-take", asked ? t("emergency.sure", { amount }) : t("emergency.take", { amount }));
  element("emergency-take").classList.toggle("asked", asked !== null);
}

function words(credit, view, amount) {
  if (credit.offered === true) return failed ? t("hold.failed") : t("emergency.offer", { amount });
  if (credit.accepted !== true) return "";
  if (credit.state === "used") return t("emergency.used", { amount });
  if (credit.state !== "in use" || !known(credit.left_micro)) return t("emergency.taken", { amount });
  const left = money(credit.left_micro, view.currency, "down");
  return t("emergency.left", { left, amount, owed: money(credit.owed_micro, view.currency, "up") });
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
    failed = !(await send("/accept"));
    repaint();
  });
}

function forget() {
  clearTimeout(asked);
  asked = null;
}
