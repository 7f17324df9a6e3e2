// The chart card: which span, energy or money, what it sums up to, and the numbers as a table.

import * as bars from "./bars.js";
import { draw } from "./chart.js";
import { cash, energy, moment } from "./format.js";
import { asked, costOf, SPANS, sums } from "./history.js";
import { remember, remembered, t } from "./language.js";
import { made, show, write } from "./page.js";

const element = (id) => document.getElementById(id);
let span = "now";
let what = "wh";
let answer = null; // of the span that is shown
let drawn = null;
let long = null; // the module that draws years, fetched when somebody looks at them

export function chartControls(repaint) {
  span = remembered("span", "now");
  what = remembered("what", "wh");
  if (![...SPANS, "now"].includes(span)) span = "now";
  element("chart-span").replaceChildren(
    ...["now", ...SPANS, "long"].map((name) => {
      const button = made("button", { type: "button", "data-span": name, "data-i18n": "tab." + name }, t("tab." + name));
      button.addEventListener("click", () => {
        span = name;
        remember("span", name);
        repaint();
      });
      return button;
    }),
  );
  document.querySelector("[data-span=long]").hidden = true;
  for (const button of element("chart-what").children) {
    button.addEventListener("click", () => {
      what = button.dataset.what;
      remember("what", what);
      repaint();
    });
  }
}

export function paintCharts(view) {
  for (const button of element("chart-span").children) {
    button.setAttribute("aria-pressed", String(button.dataset.span === span));
  }
  for (const button of element("chart-what").children) {
    button.setAttribute("aria-pressed", String(button.dataset.what === what));
  }
  document.querySelector("[data-what=money]").textContent = view.currency ? cash(0n, view.currency).replace(/[\d.]+/, "").trim() : t("chart.money");
  // What is withheld without the PIN is not offered either.
  const told = !view.withheld?.includes("recorded_until");
  show("chart-span", told);
  const live = span === "now" || !told;
  show("chart-what", !live);
  show("long", span === "long");
  element("chart").toggleAttribute("hidden", span === "long");
  if (live) {
    answer = drawn = null;
    for (const id of ["chart-sum", "chart-than", "chart-forecast", "chart-numbers"]) show(id, false);
    draw(element("chart"), element("chart-title"), view);
    return;
  }
  fetchAndDraw(view, span);
}

async function fetchAndDraw(view, wanted) {
  if (answer?.span !== wanted) {
    write("chart-title", t("chart.reading"));
    if (drawn) element("chart").replaceChildren();
    drawn = null;
  }
  if (view.recorded_until === undefined) return;
  const found = await asked("/history?span=" + wanted, view.recorded_until);
  if (wanted === "year" && found) offerLong();
  if (wanted === "long" && found) long ??= await import("./long.js");
  if (wanted !== span) return;
  if (found === null) {
    write("chart-title", t("chart.none"));
    return;
  }
  answer = found;
  const size = element(span === "long" ? "long" : "chart").getBoundingClientRect();
  const now = [found, what, view.currency, size.width, size.height, document.documentElement.lang];
  if (drawn && now.every((value, at) => value === drawn[at])) return;
  drawn = now;
  tell(view);
}

function tell(view) {
  const currency = view.currency;
  const [present, before] = span === "long" ? [answer.rows, []] : bars.periodsOf(answer);
  const sum = words(sums(present), currency);
  write("chart-title", t("span." + span));
  show("chart-sum", true);
  const until = moment(answer.until, view); // what the open interval holds is in no history yet
  write("chart-sum", t("chart.sum_to", { period: t("span." + span), time: until, sum }));
  show("chart-than", before.length > 0);
  write("chart-than", before.length ? t("chart.sum", { period: t("before." + span), sum: words(sums(before), currency) }) : "");
  show("chart-forecast", answer.forecast !== null);
  if (answer.forecast) {
    const cost = cash(-BigInt(answer.forecast[1]), currency);
    write("chart-forecast", t("chart.forecast", { energy: energy(answer.forecast[0], 0), money: cost }));
  }
  show("chart-numbers", true);
  table(view);
  if (span === "long") {
    element("long").setAttribute("aria-label", bars.barsWords(answer, sum));
    long.drawLong(element("long"), answer, what, currency);
    return;
  }
  element("chart").setAttribute("aria-label", bars.barsWords(answer, sum));
  bars.drawBars(element("chart"), answer, what, currency);
}

function words({ wh, cost, exported }, currency) {
  const used = energy(wh, 2);
  const paid = currency ? " · " + cash(cost, currency) : "";
  return used + paid + (exported ? " · " + t("chart.exported", { energy: energy(exported, 2) }) : "");
}

function table(view) {
  const exports = answer.rows.some((row) => row[2]);
  const heads = [t("table.time"), t("table.used")];
  if (exports) heads.push(t("table.exported"));
  heads.push(t("table.cost"), t("table.standing"));
  const head = made("tr", {}, ...heads.map((text) => made("th", { scope: "col" }, text)));
  const body = [...answer.rows].reverse().map((row) => {
    const cells = [made("td", { "data-wh": row[1] }, energy(row[1]))];
    if (exports) cells.push(made("td", { "data-wh": row[2] }, energy(row[2])));
    const cost = costOf(row);
    const standing = -BigInt(row[5]);
    cells.push(made("td", { "data-nano": cost }, cash(cost, view.currency)));
    cells.push(made("td", { "data-nano": standing }, cash(standing, view.currency)));
    return made("tr", { "data-local": row[0] }, made("th", { scope: "row" }, bars.bucketWords(answer, row[0])), ...cells);
  });
  element("chart-table").replaceChildren(made("thead", {}, head), made("tbody", {}, ...body));
}

// Years of days are drawn by a library that only a computer serves.
async function offerLong() {
  const button = document.querySelector("[data-span=long]");
  if (!button.hidden || button.dataset.asked) return;
  button.dataset.asked = "yes";
  try {
    button.hidden = !(await fetch("/assets/vendor/uplot.js", { method: "HEAD" })).ok;
  } catch {
    delete button.dataset.asked;
  }
}
