// Two years of days, drawn by uPlot (vendor/), which is fetched when somebody looks at them.

import { cash, localDate } from "./format.js";
import { costOf } from "./history.js";

let plot = null;
let library = null;

function loaded() {
  library ??= new Promise((done, failed) => {
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = "/assets/vendor/uplot.css";
    const script = document.createElement("script");
    script.src = "/assets/vendor/uplot.js";
    script.addEventListener("load", done);
    script.addEventListener("error", failed);
    document.head.append(style, script);
  });
  return library;
}

// Marks that stand closer than months are days.
function dates(step) {
  return step < 28 * 86400 ? { month: "short", day: "numeric" } : { month: "short", year: "2-digit" };
}

export async function drawLong(place, answer, what, currency) {
  await loaded();
  plot?.destroy();
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const money = what === "money";
  const days = answer.rows.map((row) => row[0]);
  const amounts = answer.rows.map((row) => (money ? Number(costOf(row)) / 1e9 : row[1] / 1000));
  const label = (value) => (money ? cash(BigInt(Math.round(value * 1e9)), currency) : `${value} kWh`);
  const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line") }, ticks: { show: false } };
  plot = new globalThis.uPlot(
    {
      width: place.clientWidth,
      height: Math.max(place.clientHeight, 160),
      tzDate: (seconds) => globalThis.uPlot.tzDate(new Date(seconds * 1000), "UTC"),
      legend: { show: false },
      cursor: { y: false },
      axes: [
        { ...axis, space: 60, values: (_, ticks, axis, space, step) => ticks.map((at) => localDate(at, dates(step))) },
        { ...axis, size: 66, values: (_, ticks) => ticks.map(label) },
      ],
      series: [{}, { stroke: colour("--accent"), width: 1.5, fill: colour("--accent") + "29" }],
    },
    [days, amounts],
    place,
  );
}
