// Power over the last minutes, drawn as SVG from the views this page has seen.

import { niceStep, part } from "./bars.js";
import { clock, duration, known, power } from "./format.js";
import { t } from "./language.js";

const KEEP_MS = 600_000; // ten minutes of watching: hours of the house when a simulation runs fast
const SPACING_MS = 1000;
const GAP_MS = 20_000;
const EDGE = { left: 44, right: 8, top: 8, bottom: 18 };

const points = []; // {seen: browser ms, time: unix s, mw}

export function record(view, seen) {
  if (!known(view.time) || !known(view.power_mw)) return;
  const previous = points[points.length - 1];
  if (previous && view.time < previous.time) points.length = 0;
  while (points.length && points[0].seen < seen - KEEP_MS) points.shift();
  // Between two spaced points the last one moves, so the line always ends at the present.
  if (points.length > 1 && seen - points[points.length - 2].seen < SPACING_MS) points.pop();
  points.push({ seen, time: view.time, mw: view.power_mw });
}

export function draw(svg, title, view) {
  const first = points[0];
  const last = points[points.length - 1];
  const span = points.length > 1 ? last.time - first.time : 0;
  title.textContent = span ? t("chart.title", { duration: duration(span) }) : t("chart.empty");
  if (!span) {
    svg.replaceChildren();
    svg.setAttribute("aria-label", t("chart.empty"));
    return;
  }
  const values = points.map((point) => point.mw);
  const most = Math.max(...values);
  const least = Math.min(...values);
  const words = { duration: duration(span), now: power(last.mw), most: power(most), least: power(least) };
  svg.setAttribute("aria-label", t("chart.label", words));

  const { width, height } = svg.getBoundingClientRect();
  if (width < 60 || height < 40) return;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const step = niceStep(Math.max(most, 0) - Math.min(least, 0), height > 110 ? 4 : 2, 10_000);
  const top = Math.max(Math.ceil(most / step), 1) * step;
  const bottom = Math.floor(Math.min(least, 0) / step) * step;
  const x = (time) => EDGE.left + ((width - EDGE.left - EDGE.right) * (time - first.time)) / span;
  const y = (mw) => EDGE.top + ((height - EDGE.top - EDGE.bottom) * (top - mw)) / (top - bottom);

  const parts = [];
  for (let mw = bottom; mw <= top; mw += step) {
    const at = y(mw).toFixed(1);
    parts.push(part("line", { class: mw ? "grid" : "axis", x1: EDGE.left, x2: width - EDGE.right, y1: at, y2: at }));
    const label = { class: "label", x: EDGE.left - 6, y: at, dy: "0.35em", "text-anchor": "end" };
    parts.push(part("text", label, axisPower(mw)));
  }
  const foot = { class: "label", y: height - 4 };
  parts.push(part("text", { ...foot, x: EDGE.left }, clock(first.time, view)));
  parts.push(part("text", { ...foot, x: width - EDGE.right, "text-anchor": "end" }, clock(last.time, view)));
  for (const run of runs()) {
    const line = run.map((point) => `${x(point.time).toFixed(1)} ${y(point.mw).toFixed(1)}`).join("L");
    const [from, to] = [run[0], run[run.length - 1]].map((point) => x(point.time).toFixed(1));
    const zero = y(0).toFixed(1);
    parts.push(part("path", { class: "area", d: `M${from} ${zero}L${line}L${to} ${zero}Z` }));
    parts.push(part("path", { class: "line", d: `M${line}` }));
  }
  parts.push(part("circle", { class: "now", cx: x(last.time).toFixed(1), cy: y(last.mw).toFixed(1), r: 3.5 }));
  svg.replaceChildren(...parts);
}

// The points in unbroken runs: where the page heard nothing there is no line.
function runs() {
  const found = [];
  points.forEach((point, index) => {
    if (!index || point.seen - points[index - 1].seen > GAP_MS) found.push([]);
    found[found.length - 1].push(point);
  });
  return found;
}

function axisPower(mw) {
  return Math.abs(mw) < 1_000_000 ? `${mw / 1000} W` : `${mw / 1_000_000} kW`;
}
