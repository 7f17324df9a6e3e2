// Bars of a history: the present period filled, the one before it as outlines behind, what went
// back to the grid below the line.

import { cash, localDate } from "./format.js";
import { costOf } from "./history.js";
import { t } from "./language.js";

const SVG = "http://www.w3.org/2000/svg";
const DAY_S = 86400;
const EDGE = { left: 46, right: 6, top: 8, bottom: 18 };
const SLOTS = { day: 24, week: 7, month: 31, year: 12 };

export function part(name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

// The smallest of 1, 2, 5 x 10^n that takes `span` in at most `lines` steps.
export function niceStep(span, lines, least) {
  let step = least;
  for (;;) {
    for (const factor of [1, 2, 5]) if (step * factor * lines >= span) return step * factor;
    step *= 10;
  }
}

// The place of a bucket in its period, so that the two periods can be laid over each other.
export function slotOf(span, start, local) {
  if (span === "day") return Math.floor((local - start) / 3600);
  if (span === "week") return Math.floor((local - start) / DAY_S);
  const [date, first] = [new Date(local * 1000), new Date(start * 1000)];
  if (span === "month") return date.getUTCDate() - 1;
  return (date.getUTCFullYear() - first.getUTCFullYear()) * 12 + date.getUTCMonth() - first.getUTCMonth();
}

// (rows of the present period, rows of the one before it up to the same place).
export function periodsOf(answer) {
  const now = answer.rows.filter((row) => row[0] >= answer.split);
  const reached = Math.max(...now.map((row) => slotOf(answer.span, answer.split, row[0])), 0);
  const before = answer.rows.filter(
    (row) => row[0] < answer.split && slotOf(answer.span, answer.from, row[0]) <= reached,
  );
  return [now, before];
}

// Pixels and axis labels need no exact money: a double holds what an axis shows.
function value(row, what) {
  return what === "money" ? Number(costOf(row)) : row[1];
}

export function drawBars(svg, answer, what, currency) {
  const { width, height } = svg.getBoundingClientRect();
  if (width < 60 || height < 40) return;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const exported = what === "money" ? [0] : answer.rows.map((row) => -row[2]);
  const values = answer.rows.map((row) => value(row, what));
  const most = Math.max(0, ...values);
  const least = Math.min(0, ...values, ...exported);
  const step = niceStep(most - least, height > 110 ? 4 : 2, what === "money" ? 10_000_000 : 10);
  const top = Math.max(Math.ceil(most / step), least < 0 ? 0 : 1) * step;
  const bottom = Math.floor(least / step) * step;
  const y = (amount) => EDGE.top + ((height - EDGE.top - EDGE.bottom) * (top - amount)) / (top - bottom);
  const room = (width - EDGE.left - EDGE.right) / SLOTS[answer.span];
  const parts = [];
  for (let amount = bottom; amount <= top; amount += step) {
    const at = y(amount).toFixed(1);
    parts.push(part("line", { class: amount ? "grid" : "axis", x1: EDGE.left, x2: width - EDGE.right, y1: at, y2: at }));
    const label = { class: "label", x: EDGE.left - 6, y: at, dy: "0.35em", "text-anchor": "end" };
    parts.push(part("text", label, axisWords(amount, what, currency, step, Math.max(top, -bottom))));
  }
  const bar = (name, slot, amount, inset) => {
    const [from, to] = [y(Math.max(amount, 0)), y(Math.min(amount, 0))];
    const x = EDGE.left + slot * room + room * inset;
    const size = { x: x.toFixed(1), y: from.toFixed(1), width: (room * (1 - 2 * inset)).toFixed(1) };
    parts.push(part("rect", { class: name, ...size, height: Math.max(to - from, 0).toFixed(1), rx: 1 }));
  };
  for (const row of answer.rows) {
    const present = row[0] >= answer.split;
    const slot = slotOf(answer.span, present ? answer.split : answer.from, row[0]);
    if (!present) bar("before", slot, value(row, what), 0.06);
  }
  for (const row of answer.rows) {
    if (row[0] < answer.split) continue;
    const slot = slotOf(answer.span, answer.split, row[0]);
    bar("bar", slot, value(row, what), 0.2);
    if (what !== "money" && row[2]) bar("export", slot, -row[2], 0.2);
  }
  for (let slot = 0; slot < SLOTS[answer.span]; slot++) {
    const words = slotWords(answer, slot, width);
    const x = EDGE.left + (slot + 0.5) * room;
    if (words) parts.push(part("text", { class: "label", x, y: height - 4, "text-anchor": "middle" }, words));
  }
  svg.replaceChildren(...parts);
}

function axisWords(amount, what, currency, step, most) {
  if (what === "money") return cash(BigInt(amount), currency).replace(step >= 1e9 ? /[.]00$/ : /^$/, "");
  return (most >= 1000 ? `${amount / 1000} kWh` : `${amount} Wh`).replace("-", "\u2212");
}

function slotWords(answer, slot, width) {
  if (answer.span === "day") return slot % (width < 420 ? 6 : 3) ? "" : String(slot).padStart(2, "0");
  if (answer.span === "week") return localDate(answer.split + slot * DAY_S, { weekday: "short" });
  if (answer.span === "month") return slot % 7 ? "" : String(slot + 1);
  const first = new Date(answer.split * 1000);
  if (width < 420 && slot % 2) return "";
  const date = Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + slot, 1) / 1000;
  return localDate(date, { month: width < 700 ? "numeric" : "short" });
}

// How a bucket is called in the table.
export function bucketWords(answer, local) {
  if (answer.unit === "hour") return localDate(local, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  if (answer.unit === "month") return localDate(local, { year: "numeric", month: "long" });
  return localDate(local, { weekday: "short", day: "numeric", month: "short", year: "numeric" });
}

export function barsWords(answer, sum) {
  return t("chart.bars", { period: t("span." + answer.span), sum });
}
