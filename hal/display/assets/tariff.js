// The tariff: its version, and on demand its prices, times and charges, and what the next changes.

import { dated, energy, known, localDate, money, price } from "./format.js";
import { asked } from "./history.js";
import { language, named, t } from "./language.js";
import { made, show, write } from "./page.js";

let view = {};
let shown = null;

export function tariffControls(viewNow) {
  document.getElementById("tariff-details").addEventListener("toggle", () => paintTariff(viewNow()));
}

export function paintTariff(next) {
  view = next;
  const { tariff, pending } = view;
  write("tariff", tariff?.id ? t("tariff.version", { id: tariff.id, n: tariff.n }) : "–");
  show("tariff-next", Boolean(pending));
  if (pending) write("tariff-next", t("tariff.next", { n: pending.n, time: dated(pending.from, view) }));
  show("tariff-details", Boolean(tariff));
  if (document.getElementById("tariff-details").open && tariff) lay();
}

async function lay() {
  const stamp = JSON.stringify([view.tariff, view.pending, view.rate?.band, view.rate?.block, language()]);
  if (shown === stamp) return;
  shown = stamp;
  const answer = await asked("/tariff", JSON.stringify([view.tariff, view.pending]));
  const place = document.getElementById("tariff-table");
  if (!answer?.active) {
    place.replaceChildren(made("p", {}, t("chart.none")));
    shown = null;
    return;
  }
  const parts = laid(answer.active);
  if (answer.next) {
    parts.push(made("h3", {}, t("tariff.next", { n: answer.next.n, time: dated(answer.next.from, view) })));
    const found = changes(answer.active, answer.next);
    parts.push(made("ul", { class: "changes" }, ...found.map((words) => made("li", {}, words))));
    parts.push(prices(answer.next, false));
  }
  place.replaceChildren(...parts);
}

function laid(tariff) {
  const parts = [made("p", {}, t("tariff.valid", { n: tariff.n, time: dated(tariff.from, view) }))];
  parts.push(prices(tariff, true));
  parts.push(made("h3", {}, t("tariff.times")), ...times(tariff));
  parts.push(made("h3", {}, t("tariff.charges")), charges(tariff));
  return parts;
}

function prices(tariff, isHeld) {
  const head = made("tr", {}, made("th", { scope: "col" }, t("tariff.block")));
  for (const band of tariff.bands) head.append(made("th", { scope: "col" }, named("band", band)));
  const body = tariff.price.map((row, block) => {
    const line = made("tr", {}, made("th", { scope: "row" }, blockWords(tariff, block)));
    row.forEach((micro, band) => {
      const now = isHeld && view.rate?.block === block + 1 && view.rate?.band === tariff.bands[band];
      const cell = made("td", now ? { class: "now" } : {}, price(micro, tariff.currency).replace("/kWh", ""));
      if (now) cell.append(" ", made("b", {}, t("tariff.now")));
      line.append(cell);
    });
    return line;
  });
  const table = made("table", {}, made("caption", {}, t("tariff.prices")), made("thead", {}, head), made("tbody", {}, ...body));
  return made("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": t("tariff.prices") }, table);
}

function blockWords(tariff, block) {
  const limits = tariff.blocks ?? [];
  if (!limits.length) return t("tariff.any");
  const from = limits[block - 1] ?? 0;
  const upto = limits[block];
  if (upto === undefined) return t("tariff.above", { from: energy(from * 1000, 0) });
  return t("tariff.upto", { from: energy(from * 1000, 0), upto: energy(upto * 1000, 0) });
}

const two = (number) => String(number).padStart(2, "0");
const minutes = (minute) => two(Math.floor(minute / 60)) + ":" + two(minute % 60);

// Weekday names of a list of 0 = Sunday, from Monday on; 4 January 1970 was a Sunday.
function days(list) {
  const sorted = [...list].sort((one, other) => ((one + 6) % 7) - ((other + 6) % 7));
  return sorted.map((day) => localDate((3 + day) * 86400, { weekday: "short" })).join(t("reason.separator"));
}

function times(tariff) {
  const lists = tariff.seasons.map((season) => {
    const from = localDate(Date.UTC(2024, Number(season[0].slice(0, 2)) - 1, Number(season[0].slice(2))) / 1000, { month: "short", day: "numeric" });
    const parts = [];
    if (tariff.seasons.length > 1) parts.push(made("h4", {}, t("tariff.season", { from })));
    const weekend = tariff.weekend ?? [];
    const work = [0, 1, 2, 3, 4, 5, 6].filter((day) => !weekend.includes(day));
    const same = season[1] === season[2] || !weekend.length || !work.length;
    if (same) parts.push(table(tariff, work.length ? season[1] : season[2], t("tariff.everyday")));
    else parts.push(table(tariff, season[1], days(work)), table(tariff, season[2], days(weekend)));
    return made("div", {}, ...parts);
  });
  if (tariff.holidays?.length) lists.push(made("p", { class: "soft" }, t("tariff.holidays")));
  return lists;
}

function table(tariff, name, title) {
  const switches = tariff.days[name] ?? [];
  const items = switches.map(([start, band], at) => {
    const until = switches[at + 1]?.[0] ?? 1440;
    return made("li", {}, `${minutes(start)}–${minutes(until)} ${named("band", tariff.bands[band])}`);
  });
  return made("div", { class: "times" }, made("b", {}, title), made("ul", {}, ...items));
}

function charges(tariff) {
  return made(
    "dl",
    {},
    ...chargeRows(tariff).flatMap(([name, value]) => [made("dt", {}, t(name)), made("dd", {}, value)]),
  );
}

// [name, words] of everything beside the prices.
function chargeRows(tariff) {
  const { currency, credit } = tariff;
  const rows = [["charge.standing", t("charge.a_day", { amount: money(tariff.standing_day ?? 0, currency) })]];
  const exported = tariff.export ?? [0];
  rows.push(["charge.export", [...new Set(exported)].map((micro) => price(micro, currency)).join(t("reason.separator"))]);
  if (tariff.net) rows.push(["charge.net", t("charge.yes")]);
  if (tariff.demand) rows.push(["charge.demand", money(tariff.demand.price, currency) + "/kW"]);
  if (tariff.minimum) rows.push(["charge.minimum", money(tariff.minimum, currency)]);
  rows.push(["charge.cycle", tariff.cycle === "none" ? "–" : named("cycle", tariff.cycle)]);
  rows.push(["charge.low", credit.low.map((micro) => money(micro, currency)).join(t("reason.separator"))]);
  rows.push(["charge.emergency", credit.emergency ? money(credit.emergency, currency) : "–"]);
  rows.push(["charge.reconnect", money(credit.reconnect_above, currency)]);
  return rows;
}

// What the next document changes, in words: prices one by one, then charges, then the times.
function changes(now, next) {
  const found = [];
  const currency = next.currency;
  const words = (micro) => (known(micro) ? price(micro, currency).replace("/kWh", "") : "–");
  next.price.forEach((row, block) =>
    row.forEach((micro, band) => {
      const name = next.bands[band];
      const before = now.price[block]?.[now.bands.indexOf(name)];
      if (before === micro) return;
      const place = { band: named("band", name), block: blockWords(next, block), from: words(before), to: words(micro) };
      found.push(t("change.price", place));
    }),
  );
  const before = new Map(chargeRows(now));
  for (const [name, value] of chargeRows(next)) {
    if (before.get(name) !== value) found.push(t("change.charge", { name: t(name), from: before.get(name) ?? "–", to: value }));
  }
  const when = (tariff) => JSON.stringify([tariff.days, tariff.seasons, tariff.weekend, tariff.holidays, tariff.bands]);
  if (when(now) !== when(next)) found.push(t("change.times"));
  return found.length ? found : [t("change.none")];
}
