// What today cost, and what the rest of the billing cycle will.

import { range } from "./balance.js";
import { energy, known, money, roughMoney } from "./format.js";
import { t } from "./language.js";
import { write } from "./page.js";

export function paintToday(view) {
  write("today-cost", money(view.today_micro, view.currency));
  write("today-energy", known(view.today_wh) ? t("today.energy", { energy: energy(view.today_wh, 2) }) : "–");
  write("today-cycle", cycle(view));
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
