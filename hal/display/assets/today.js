// What today cost, how long the credit lasts and what the cycle will still cost, each with its range.

import { energy, known, money, roughMoney } from "./format.js";
import { t } from "./language.js";

const MOST_DAYS = 99; // the meter counts no further

export function paintToday(view) {
  write("today-cost", money(view.today_micro, view.currency));
  write("today-energy", known(view.today_wh) ? t("today.energy", { energy: energy(view.today_wh, 2) }) : "–");
  write("today-days", daysLeft(view));
  write("today-cycle", cycle(view));
}

function daysLeft(view) {
  const days = view.days_left;
  if (!known(days)) return t("today.learning");
  const left = view.available_micro ?? view.balance_micro;
  if (known(left) && left <= 0) return ""; // the balance says it
  const words = days === 0 ? t("today.days_0") : days === 1 ? t("today.days_1") : t("today.days", { days: count(days) });
  return words + range(view.days_range, count);
}

function count(days) {
  return days >= MOST_DAYS ? MOST_DAYS + "+" : String(days);
}

function cycle(view) {
  const cost = view.cycle_cost_micro;
  if (!known(cost)) return "";
  const earns = cost < 0;
  const amount = money(earns ? -cost : cost, view.currency);
  let span = view.cycle_cost_range;
  if (earns && Array.isArray(span)) span = span.map((micro) => -micro).reverse();
  const words = earns ? t("today.cycle_earns", { amount }) : t("today.cycle", { amount });
  return words + range(span, (micro) => roughMoney(micro, view.currency));
}

// " (9 to 15)", or nothing where both ends read the same.
function range(span, text) {
  if (!Array.isArray(span) || !known(span[0]) || !known(span[1])) return "";
  const [low, high] = span.map(text);
  return low === high ? "" : t("today.range", { low, high });
}

function write(id, text) {
  const target = document.getElementById(id);
  if (target.textContent !== text) target.textContent = text;
}
