// The words of the page: two flat tables, both loaded at the start so that a switch needs no net.

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

export async function loadLanguages() {
  await Promise.all(
    NAMES.map(async (name) => {
      tables[name] = await (await fetch(`/assets/i18n/${name}.json`)).json();
    }),
  );
  const browser = navigator.languages.find((tag) => NAMES.includes(tag.slice(0, 2).toLowerCase()));
  use(remembered("language", browser?.slice(0, 2).toLowerCase()));
}

export function language() {
  return current;
}

export function switchLanguage() {
  use(current === "en" ? "zh" : "en");
  remember("language", current);
}

function use(name) {
  current = NAMES.includes(name) ? name : "en";
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
