// Numbers as people read them. Money and energy are exact integers from the meter and stay
// integers here: a float would round 0.005 differently on the page than in the ledger.

import { locale, t } from "./language.js";

const NONE = "–";
const MINUS = "\u2212";
const SYMBOLS = { CNY: "¥", JPY: "¥", EUR: "€", GBP: "£", USD: "$", INR: "₹", KRW: "₩", NGN: "₦" };

export function known(value) {
  return Number.isSafeInteger(value);
}

function floorDivide(n, by) {
  const quotient = n / by;
  return n % by < 0n ? quotient - 1n : quotient;
}

// `value` / 10^`scale` with `digits` decimals as text without sign; `way` is "down", "up", "near".
function decimal(value, scale, digits, way) {
  const step = 10n ** BigInt(scale - digits);
  const shift = { down: 0n, up: step - 1n, near: step / 2n }[way];
  const rounded = floorDivide(BigInt(value) + shift, step);
  const size = rounded < 0n ? -rounded : rounded;
  const text = size.toString().padStart(digits + 1, "0");
  const whole = text.slice(0, text.length - digits).replace(/\B(?=(\d{3})+$)/g, ",");
  const part = digits ? "." + text.slice(-digits) : "";
  return { text: whole + part, sign: rounded < 0n ? MINUS : "" };
}

function withCurrency({ text, sign }, currency) {
  const symbol = SYMBOLS[currency] ?? (currency ? currency + "\u00a0" : "");
  return sign + symbol + text;
}

// Micro-units as money in cents. A balance rounds down and an amount to pay rounds up, so that
// what is shown is there and what is asked for is enough.
export function money(micro, currency, way = "near") {
  if (!known(micro)) return NONE;
  return withCurrency(decimal(micro, 6, 2, way), currency);
}

// Nano-units (a BigInt) as money in cents.
export function cash(nano, currency) {
  return withCurrency(decimal(nano, 9, 2, "near"), currency);
}

// An end of a range: cents only where they matter.
export function roughMoney(micro, currency) {
  if (!known(micro) || Math.abs(micro) < 10_000_000) return money(micro, currency);
  return withCurrency(decimal(micro, 6, 0, "near"), currency);
}

// A price per kWh: up to six decimals, at least two.
export function price(micro, currency) {
  if (!known(micro)) return NONE;
  const { text, sign } = decimal(micro, 6, 6, "near");
  return withCurrency({ text: text.replace(/0{1,4}$/, ""), sign }, currency) + "/kWh";
}

export function energy(wh, digits = 3) {
  if (!known(wh)) return NONE;
  const { text, sign } = decimal(wh, 3, digits, "down");
  return `${sign}${text} kWh`;
}

export function power(mw) {
  if (!known(mw)) return NONE;
  if (Math.abs(mw) < 999_500) {
    const { text, sign } = decimal(mw, 3, 0, "near");
    return `${text === "0" ? "" : sign}${text} W`;
  }
  const { text, sign } = decimal(mw, 6, 2, "near");
  return `${sign}${text} kW`;
}

// A thousandth of a unit with `digits` decimals: mV as V, mA as A, mHz as Hz.
export function milli(value, digits, unit) {
  if (!known(value)) return NONE;
  const { text, sign } = decimal(value, 3, digits, "near");
  return sign + text + (unit ? " " + unit : "");
}

export function duration(seconds) {
  if (!known(seconds)) return NONE;
  const s = Math.max(0, seconds);
  if (s < 60) return t("duration.s", { s });
  const min = Math.floor(s / 60);
  if (min < 60) return t("duration.min", { min });
  const h = Math.floor(min / 60);
  if (h < 24) return min % 60 ? t("duration.h_min", { h, min: min % 60 }) : t("duration.h", { h });
  return t("duration.d_h", { d: Math.floor(h / 24), h: h % 24 });
}

// Times stand in the meter's own zone: the offset is added and the sum is read as if UTC, so the
// zone of the browser never counts.
function local(unix, view, style) {
  return localDate(unix + (view.utc_offset_s ?? 0), style);
}

export function clock(unix, view) {
  if (!known(unix)) return NONE;
  return local(unix, view, { hour: "2-digit", minute: "2-digit" });
}

export function dayAndClock(unix, view) {
  if (!known(unix)) return NONE;
  return local(unix, view, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
}

// A date of the local clock, `seconds` since 1970 of it.
export function localDate(seconds, style) {
  return new Intl.DateTimeFormat(locale(), { timeZone: "UTC", hourCycle: "h23", ...style }).format(new Date(seconds * 1000));
}

// A day with its year, and a clock time.
export function dated(unix, view) {
  if (!known(unix)) return NONE;
  return local(unix, view, { dateStyle: "medium", timeStyle: "short" });
}

// A clock time, with the day when it is not today's.
export function moment(unix, view) {
  if (!known(unix)) return NONE;
  const day = (time) => Math.floor((time + (view.utc_offset_s ?? 0)) / 86400);
  const today = !known(view.time) || day(unix) === day(view.time);
  return today ? clock(unix, view) : dayAndClock(unix, view);
}
