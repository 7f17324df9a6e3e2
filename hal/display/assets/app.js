// Start-up, freshness, and what a screen reader says; the rest is in the files imported here.

import { draw, record } from "./chart.js";
import { emergencyButton } from "./emergency.js";
import { duration, known, money } from "./format.js";
import { holdButton } from "./hold.js";
import { loadLanguages, remember, remembered, switchLanguage, t } from "./language.js";
import { paint, paintHold } from "./paint.js";
import { loadSession, paintSession } from "./session.js";
import { openStream } from "./stream.js";
import { paintToken, tokenField } from "./token.js";

const LIVE_S = 4;
const OFFLINE_S = 15;
const SAY_EVERY_MS = 60_000; // a balance that falls all day must not talk all day
const SIZES = 3;

const element = (id) => document.getElementById(id);
const hold = { held: false, failed: false };
let view = {};
let viewAt = null; // performance.now() of the latest view
let signAt = null; // and of any sign of life
const startedAt = performance.now();
const said = { at: -SAY_EVERY_MS, zone: null, supply: null };

function seconds(since) {
  return Math.floor((performance.now() - since) / 1000);
}

function refresh() {
  paint(view);
  paintHold(view, hold);
  paintToken(view.token);
  paintSession();
  freshness();
  draw(element("chart"), element("chart-title"), view);
}

function freshness() {
  const silent = seconds(signAt ?? startedAt);
  const offline = silent >= OFFLINE_S;
  element("offline").hidden = !offline;
  const words = signAt === null ? t("offline.never") : t("offline", { duration: duration(silent) });
  element("offline").textContent = offline ? words : "";
  document.body.classList.toggle("offline", offline);
  let state = "wait";
  let text = t("fresh.waiting");
  if (viewAt !== null) {
    // The age of what is seen: how long ago it came, and how old the sample was by then.
    const sample = known(view.sample_age_ms) ? Math.floor(view.sample_age_ms / 1000) : 0;
    const age = seconds(viewAt) + sample;
    state = age <= LIVE_S ? "live" : age < OFFLINE_S ? "late" : "old";
    text = state === "live" ? t("fresh.now") : t("fresh.ago", { duration: duration(age) });
  }
  element("fresh").dataset.state = state;
  if (element("fresh-text").textContent !== text) element("fresh-text").textContent = text;
}

function say() {
  const now = performance.now();
  const zone = view.zone ?? null;
  const amount = view.available_micro ?? view.balance_micro;
  if (known(amount) && (zone !== said.zone || now - said.at >= SAY_EVERY_MS)) {
    const owed = amount < 0;
    const words = { amount: money(owed ? -amount : amount, view.currency) };
    element("say-balance").textContent = owed ? t("balance.said_owed", words) : t("balance.said", words);
    said.at = now;
    said.zone = zone;
  }
  const supply = view.supply?.state ?? null;
  if (supply !== said.supply && supply !== null) {
    const words = { state: element("supply-state").textContent, reason: element("supply-reason").textContent };
    element("say-supply").textContent = t("supply.said", words);
  }
  said.supply = supply;
}

function textSize(size) {
  document.documentElement.dataset.size = size;
  remember("size", size);
}

async function start() {
  await loadLanguages();
  textSize(remembered("size", "0"));
  const button = holdButton(element("hold"), {
    onChange(held) {
      hold.held = held;
      paintHold(view, hold);
    },
    onFailure(failed) {
      hold.failed = failed;
      paintHold(view, hold);
    },
  });
  tokenField();
  element("language").addEventListener("click", () => {
    switchLanguage();
    refresh();
  });
  element("text-size").addEventListener("click", () => {
    textSize(String((Number(document.documentElement.dataset.size) + 1) % SIZES));
    refresh();
  });
  emergencyButton(refresh);
  loadSession();
  addEventListener("resize", refresh);
  refresh();
  openStream(
    (next) => {
      view = next ?? {};
      viewAt = performance.now();
      record(view, viewAt);
      if (view.supply?.state !== "ready") button.stop();
      refresh();
      say();
    },
    () => {
      signAt = performance.now();
    },
  );
  setInterval(freshness, 1000);
}

start();
