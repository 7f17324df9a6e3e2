// Top-ups and tokens: when, how much, from where, what became of it. Of a token four digits.

import { dayAndClock, known, money } from "./format.js";
import { named, t } from "./language.js";
import { made, show } from "./page.js";

const GOOD = [1, 2, 3]; // accepted, or a part of a key that was kept
let shown = null;

export function paintPurchases(view) {
  show("purchases-card", !view.withheld?.includes("purchases"));
  const purchases = view.purchases ?? [];
  const now = JSON.stringify([purchases, document.documentElement.lang, view.currency]);
  if (shown === now) return;
  shown = now;
  show("purchases-none", purchases.length === 0);
  document.getElementById("purchases").replaceChildren(...purchases.map((one) => row(one ?? {}, view)));
}

function row(purchase, view) {
  const good = !known(purchase.result) || GOOD.includes(purchase.result);
  const from = [];
  if (purchase.source) from.push(named("source", purchase.source));
  if (purchase.last4) from.push(t("purchases.token", { last: purchase.last4 }));
  else if (known(purchase.n)) from.push("#" + purchase.n);
  const amount = known(purchase.amount_micro) ? money(purchase.amount_micro, view.currency) : "";
  const outcome = known(purchase.result) ? named("token_said", purchase.result) : "";
  return made(
    "li",
    good ? {} : { class: "refused" },
    made("span", {}, dayAndClock(purchase.time, view)),
    made("b", {}, amount),
    made("span", { class: "soft" }, from.join(" · ")),
    made("span", { class: "soft outcome" }, outcome),
  );
}
