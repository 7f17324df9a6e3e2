// The words of the page: a flat table for each language, the other one fetched when it is asked for.

const NAMES = ["en", "zh"];
const tables = {};
let current = "en";

export function remembered(key, fallback) {
  // Storage can be switched off in a browser; a choice then lasts as long as the page.
  try {
    return localStorage.getItem("wattledger." + key) ?? fallback;
  } catch {
    return fallback;
  }
}

export function remember(key, value) {
  try {
    localStorage.setItem("wattledger." + key, value);
  } catch {
    // Nothing to mend: see above.
  }
}

async function load(name) {
  tables[name] ??= await (await fetch(`/assets/i18n/${name}.json`)).json();
}

export async function loadLanguage() {
  const browser = navigator.languages.find((tag) => NAMES.includes(tag.slice(0, 2).toLowerCase()));
  const wanted = remembered("language", browser?.slice(0, 2).toLowerCase());
  await use(NAMES.includes(wanted) ? wanted : "en");
}

export function language() {
  return current;
}

// How numbers and dates are written: the browser's own habit where it speaks the language shown.
export function locale() {
  const own = navigator.languages.find((tag) => tag.slice(0, 2).toLowerCase() === current);
  return own ?? (current === "zh" ? "zh-CN" : "en");
}

export async function switchLanguage() {
  await use(current === "en" ? "zh" : "en");
  remember("language", current);
}

async function use(name) {
  await load(name);
  current = name;
  document.documentElement.lang = current === "zh" ? "zh-Hans" : "en";
  for (const element of document.querySelectorAll("[data-i18n]")) {
    element.textContent = t(element.dataset.i18n);
  }
  for (const element of document.querySelectorAll("[data-i18n-label]")) {
    element.setAttribute("aria-label", t(element.dataset.i18nLabel));
  }
  const button = document.getElementById("language");
  button.textContent = current === "en" ? "中文" : "EN";
  button.lang = current === "en" ? "zh-Hans" : "en";
  button.setAttribute("aria-label", current === "en" ? "切换到中文" : "Switch to English");
}

// The words for `key`, with {name} replaced from `values`.
export function t(key, values = {}) {
  const words = tables[current]?.[key] ?? key;
  return words.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "–");
}

// The words for a name that comes from the meter: a known one is translated, another stands as it
// came, because a tariff may call its bands anything.
export function named(prefix, name) {
  if (name === null || name === undefined || name === "") return "–";
  const key = prefix + "." + String(name).toLowerCase().replace(/[ -]/g, "_");
  return tables[current]?.[key] ?? String(name);
}
