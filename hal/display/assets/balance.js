// The balance card: credit and what it buys, how long it lasts, and the low-credit levels.

import { duration, energy, known, moment, money } from "./format.js";
import { named, remember, remembered, t } from "./language.js";
import { show, write } from "./page.js";

const MOST_DAYS = 99; // the meter counts no further
const LEVELS = ["good", "soon", "today"];
// Zones in which a person is told; a mute holds until a worse one, and ends with a better one.
const RANKS = { mark: 1, low1: 2, low2: 3, zero: 4 };
const element = (id) => document.getElementById(id);
let last = {};

// What is available counts what the open interval has used; zones and cuts go by it too.
export function credit(view) {
  return view.available_micro ?? view.balance_micro;
}

export function paintBalance(view) {
  last = view;
  const amount = credit(view);
  write("balance-amount", money(amount, view.currency, "down"));
  element("balance-amount").dataset.micro = known(amount) ? amount : "";
  show("balance-owed", known(amount) && amount < 0);
  element("balance").dataset.zone = view.zone ?? "unknown";
  const buys = known(view.credit_wh) && amount > 0;
  write("balance-energy", buys ? t("balance.energy", { energy: energy(view.credit_wh, 1) }) : "");
  paintDays(view, amount);
  paintLow(view, amount);
}

function paintDays(view, amount) {
  const words = days(view, amount);
  show("days", words !== "");
  element("days").dataset.level = LEVELS.includes(view.days_level) ? view.days_level : "unknown";
  write("today-days", words);
  write("balance-lasts", lasts(view, amount));
}

function days(view, amount) {
  if (view.zone === "untariffed" || (known(amount) && amount <= 0)) return ""; // the notice says it
  const days = view.days_left;
  if (!known(days)) return t("today.learning");
  if (view.days_level === "today" && known(view.ends_at)) {
    return t("today.ends", { time: moment(view.ends_at, view) });
  }
  const words = days === 0 ? t("today.days_0") : days === 1 ? t("today.days_1") : t("today.days", { days: count(days) });
  return words + range(view.days_range, count);
}

function count(days) {
  return days >= MOST_DAYS ? MOST_DAYS + "+" : String(days);
}

// " (9 to 15)", or nothing where both ends read the same.
export function range(span, text) {
  if (!Array.isArray(span) || !known(span[0]) || !known(span[1])) return "";
  const [low, high] = span.map(text);
  return low === high ? "" : t("today.range", { low, high });
}

// At the load of this moment: only as long as nothing better is known.
function lasts(view, amount) {
  if (known(view.days_left) || view.supply?.state !== "connected" || !known(amount) || amount <= 0) return "";
  if (known(view.supply.cut_in_s)) return ""; // the notice says it, and knows of charges too
  if (!known(view.cost_per_hour_micro) || view.cost_per_hour_micro <= 0) return "";
  let seconds = Number((BigInt(amount) * 3600n) / BigInt(view.cost_per_hour_micro));
  if (seconds > 36_000) seconds -= seconds % 3600; // minutes would promise what nobody knows
  return t("balance.lasts", { duration: duration(seconds) });
}

// The person's own mark, in whole units of money; it only ever warns earlier than the utility.
function mark() {
  const units = Number.parseInt(remembered("mark", ""), 10);
  return units > 0 && units <= 1_000_000 ? units * 1_000_000 : 0;
}

function zoneOf(view, amount) {
  const zone = view.zone;
  const owed = view.emergency?.state === "in use" || zone === "emergency";
  if (owed) return "emergency";
  const above = zone === "normal" && known(amount) && amount <= mark();
  return above ? "mark" : zone;
}

function paintLow(view, amount) {
  const zone = zoneOf(view, amount);
  const rank = RANKS[zone] ?? 0;
  const muted = Number(remembered("muted", "0"));
  if (view.zone && rank < muted) remember("muted", String(rank)); // the next level may speak again
  // The supply's card, or the lines on emergency credit, say it and more.
  const elsewhere = view.supply?.reasons?.includes("no credit") || view.emergency?.state === "in use";
  const told = !elsewhere && (zone in RANKS || zone === "emergency" || zone === "untariffed");
  const words = { amount: money(mark(), view.currency) };
  show("low", told);
  write("balance-low", !told ? "" : zone === "mark" ? t("zone.mark", words) : named("zone", zone));
  const calls = rank > muted;
  show("mute", told && calls);
  element("low").dataset.calls = calls;
}

export function balanceControls(repaint) {
  element("mute").addEventListener("click", () => {
    remember("muted", String(RANKS[zoneOf(last, credit(last))] ?? 0));
    repaint();
  });
  const field = element("mark");
  field.value = mark() ? mark() / 1_000_000 : "";
  field.addEventListener("change", () => {
    remember("mark", field.value);
    repaint();
  });
  element("mark-form").addEventListener("submit", (event) => event.preventDefault());
}
