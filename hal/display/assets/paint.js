// Puts a view on the page. What the meter does not know stands as a dash, never as a made-up 0.

import { paintBalance } from "./balance.js";
import { paintEmergency } from "./emergency.js";
import { clock, duration, energy, known, milli, moment, money, power, price } from "./format.js";
import { named, t } from "./language.js";
import { paintMessages } from "./messages.js";
import { show, write } from "./page.js";
import { paintPurchases } from "./purchases.js";
import { paintSolar } from "./solar.js";
import { paintTariff } from "./tariff.js";
import { paintToday } from "./today.js";

const SUPPLY_STATES = ["connected", "ready", "disconnected"];
const CUT_TOLD_S = 930; // from the quarter of an hour on that the meter warns of

let shownNotices = null;

const element = (id) => document.getElementById(id);

export function paint(view) {
  write("meter", view.meter ?? "–");
  write("meter-again", view.meter ?? "–");
  show("simulated", view.simulated === true);
  write("clock", clock(view.time, view));
  element("clock").classList.toggle("unsure", Boolean(view.trust) && view.trust !== "synced");
  paintBalance(view);
  paintEmergency(view);
  paintSupply(view, view.supply ?? {});
  paintNotices(view);
  paintMessages(view);
  paintPower(view);
  paintRate(view, view.rate ?? {}, view.next ?? {});
  paintToday(view);
  paintSolar(view);
  paintPurchases(view);
  paintTariff(view);
  paintRegisters(view);
}

function soon(supply) {
  return supply.state === "connected" && known(supply.cut_in_s) && supply.cut_in_s <= CUT_TOLD_S;
}

function paintSupply(view, supply) {
  const state = SUPPLY_STATES.includes(supply.state) ? supply.state : "unknown";
  element("supply").dataset.state = state;
  write("supply-state", state === "unknown" ? "–" : named("supply", state));
  write("supply-since", known(supply.since) ? t("supply.since", { time: moment(supply.since, view) }) : "");
  write("supply-reason", supplyReason(supply, state));
  const todo = whatToDo(view, supply, state);
  show("supply-todo", todo !== "");
  write("supply-todo", todo);
  const accrued = state === "disconnected" && known(supply.accrued_micro) && supply.accrued_micro > 0;
  show("supply-accrued", accrued);
  write("supply-accrued", accrued ? t("supply.accrued", { amount: money(supply.accrued_micro, view.currency, "up") }) : "");
  paintTime(supply.time_left_s);
  show("reconnect", state === "ready" || state === "disconnected");
  element("hold").disabled = state !== "ready";
  const held = known(supply.hold_ms) ? Math.min(Math.max(supply.hold_ms, 0), 3000) : 0;
  element("hold-progress").style.transform = `scaleX(${held / 3000})`;
  element("hold-progress").setAttribute("aria-valuenow", held);
}

// Time that tokens pay for; null on a meter whose tokens are money.
function paintTime(left) {
  show("supply-time", known(left));
  write("supply-time", left > 0 ? t("supply.time", { duration: duration(left) }) : t("supply.time_none"));
}

function supplyReason(supply, state) {
  if (state === "unknown") return "–";
  if (state === "connected") return t("supply.connected.text");
  if (state === "ready") return t("supply.ready.text");
  const all = supply.reasons?.length ? [...supply.reasons] : [supply.reason];
  all.sort((one, other) => (other === supply.reason) - (one === supply.reason));
  return t("supply.because", { reasons: all.map((reason) => named("reason", reason)).join(t("reason.separator")) });
}

// What a person without power has to do, in a sentence of its own.
function whatToDo(view, supply, state) {
  if (state !== "disconnected") return "";
  const needed = supply.topup_micro ?? supply.restore_micro;
  if (known(needed) && needed > 0) {
    return t("supply.topup", { amount: money(needed, view.currency, "up") });
  }
  return supply.reason ? named("todo", supply.reason) : "";
}

// `hold` is {held, failed}: what the finger does, which the view does not know.
export function paintHold(view, hold) {
  const supply = view.supply ?? {};
  write("hold-label", hold.held ? t("hold.keep") : t("hold.label"));
  element("hold").classList.toggle("held", hold.held);
  let hint = t("hold.safe");
  if (supply.state !== "ready") hint = t("hold.locked");
  else if (hold.failed) hint = t("hold.failed");
  else if (known(supply.wait_s) && supply.wait_s > 0) hint = t("hold.wait", { duration: duration(supply.wait_s) });
  if (!hold.held && known(supply.closes_in_s)) hint = t("hold.itself", { duration: duration(supply.closes_in_s) });
  write("hold-hint", hint);
}

function paintNotices(view) {
  const notices = [];
  const add = (kind, text) => notices.push({ kind, text });
  const supply = view.supply ?? {};
  if (soon(supply)) {
    const left = { duration: duration(Math.max(Math.round(supply.cut_in_s / 60), 1) * 60) };
    const byTime = known(supply.time_left_s) && supply.time_left_s <= supply.cut_in_s;
    add("bad", byTime ? t("cut.time", left) : t("cut.soon", left));
  }
  if (known(supply.remote_in_s)) {
    const left = { duration: duration(Math.max(Math.round(supply.remote_in_s / 60), 1) * 60) };
    add("bad", t("remote.soon", left));
  }
  for (const alarm of view.alarms ?? []) if (alarm) add("bad", named("alarm", alarm));
  if (view.quality && view.quality !== "ok") add("warn", named("quality", view.quality));
  if (view.trust && view.trust !== "synced") add("warn", named("trust", view.trust));
  if (view.rate?.fallback) add("warn", t("rate.fallback"));
  if (view.link === false) add("warn", t("link.down"));
  // To a home without power these would be untrue: neither closes what is open.
  const off = supply.state === "disconnected";
  if (view.friendly?.now && !off) {
    const until = view.friendly.until;
    add("calm", known(until) ? t("friendly", { time: moment(until, view) }) : t("friendly.open"));
  }
  if (supply.keep_power_s > 0 && !off) add("calm", t("keep_power", { duration: duration(supply.keep_power_s) }));
  if (view.debt?.owed_micro > 0) {
    const amount = money(view.debt.owed_micro, view.currency, "up");
    const day = money(view.debt.per_day_micro, view.currency);
    add("calm", t("debt", { amount, day, share: view.debt.share }));
  }
  if (view.pending && known(view.pending.from)) add("calm", t("tariff.coming", { time: moment(view.pending.from, view) }));
  const list = element("notices");
  const now = JSON.stringify(notices);
  if (shownNotices === now) return;
  shownNotices = now;
  list.hidden = notices.length === 0;
  list.replaceChildren(
    ...notices.map(({ kind, text }) => {
      const item = document.createElement("li");
      item.className = kind;
      item.textContent = text;
      return item;
    }),
  );
}

function paintPower(view) {
  const mw = view.power_mw;
  write("power-now", power(mw));
  const level = known(mw) ? view.power_level : null;
  element("gauge").dataset.level = level ?? "unknown";
  write("power-level", named("power", level));
  const cost = view.cost_per_hour_micro;
  const earns = known(cost) && cost < 0;
  const amount = money(earns ? -cost : cost, view.currency);
  write("power-cost", !known(cost) ? "–" : earns ? t("power.earn", { amount }) : t("power.cost", { amount }));
  const electric = [
    milli(view.voltage_mv, 1, "V"),
    milli(view.current_ma, 2, "A"),
    milli(view.frequency_mhz, 2, "Hz"),
  ];
  write("power-detail", electric.join(" · "));
}

function paintRate(view, rate, next) {
  write("rate-price", price(rate.price_micro, view.currency));
  write("rate-band", named("band", rate.band));
  const both = known(rate.price_micro) && known(next.price_micro);
  element("rate-band").dataset.next = both ? Math.sign(next.price_micro - rate.price_micro) : 0;
  write("rate-block", block(rate));
  const time = moment(next.time, view);
  const left = known(next.time) && known(view.time) ? duration(next.time - view.time) : "–";
  const words = { band: named("band", next.band), price: price(next.price_micro, view.currency) };
  write("rate-next", known(next.time) ? t("rate.next", words) : "–");
  write("rate-change", known(next.time) ? t("rate.change", { duration: left, time }) : "");
}

function block(rate) {
  if (!known(rate.block) || !known(rate.blocks)) return "–";
  if (rate.blocks === 1) return t("rate.single");
  const words = { block: rate.block, blocks: rate.blocks, energy: energy(rate.block_left_wh, 1) };
  return known(rate.block_left_wh) ? t("rate.block_left", words) : t("rate.block", words);
}

function paintRegisters(view) {
  write("import", energy(view.import_wh));
  write("export", energy(view.export_wh));
  write("posted", money(view.balance_micro, view.currency, "down"));
  write("factor", milli(view.power_factor, 2, ""));
  write("utility", view.link === true ? t("link.up") : view.link === false ? t("link.none") : "–");
}
