// Solar export: what goes back to the grid now, today and this month, and what that earns.

import { cash, energy, known, money, power, price } from "./format.js";
import { asked, sums } from "./history.js";
import { t } from "./language.js";
import { show, write } from "./page.js";

let stamp = null;

export function paintSolar(view) {
  const feeding = known(view.power_mw) && view.power_level === "export";
  const ever = known(view.export_wh) && view.export_wh > 0;
  show("solar", feeding || ever);
  if (!feeding && !ever) return;
  const cost = view.cost_per_hour_micro;
  const earns = known(cost) && cost < 0 ? t("power.earn", { amount: money(-cost, view.currency) }) : "";
  write("solar-now", feeding ? power(-view.power_mw) + (earns ? " · " + earns : "") : t("solar.idle"));
  const worth = view.rate?.export_micro;
  write("solar-price", known(worth) ? t("solar.price", { price: price(worth, view.currency) }) : "");
  const now = JSON.stringify([view.recorded_until, view.currency, document.documentElement.lang]);
  if (stamp === now || view.recorded_until === undefined) return; // or withheld
  stamp = now;
  tell(view, "day", "solar-today");
  tell(view, "month", "solar-month");
}

async function tell(view, span, id) {
  const answer = await asked("/history?span=" + span, view.recorded_until);
  if (!answer) return;
  const { exported, earned } = sums(answer.rows.filter((row) => row[0] >= answer.split));
  const words = { energy: energy(exported, 2), money: cash(earned, view.currency) };
  write(id, t("solar." + span, words));
}
