// Start-up, freshness, and what a screen reader says; the rest is in the files imported here.

import { balanceControls, credit } from "./balance.js";
import { record } from "./chart.js";
import { chartControls, paintCharts } from "./charts.js";
import { emergencyButton } from "./emergency.js";
import { duration, known, money } from "./format.js";
import { holdButton } from "./hold.js";
import { loadLanguage, remember, remembered, switchLanguage, t } from "./language.js";
import { say, show, write } from "./page.js";
import { paint, paintHold } from "./paint.js";
import { loadSession, paintSession } from "./session.js";
import { openStream } from "./stream.js";
import { tariffControls } from "./tariff.js";
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
  paintSession(view);
  freshness();
  paintCharts(view);
}

function freshness() {
  const silent = seconds(signAt ?? startedAt);
  const offline = silent >= OFFLINE_S;
  show("offline", offline);
  const words = signAt === null ? t("offline.never") : t("offline", { duration: duration(silent) });
  write("offline", offline ? words : "");
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
  write("fresh-text", text);
}

// The balance now and then, and at once with the supply or another level of credit.
function speak() {
  const now = performance.now();
  const zone = view.zone ?? null;
  const supply = view.supply?.state ?? null;
  const amount = credit(view);
  const moved = supply !== said.supply && supply !== null && said.supply !== null;
  if (moved || zone !== said.zone || now - said.at >= SAY_EVERY_MS) {
    const parts = [];
    if (moved) {
      const words = { state: element("supply-state").textContent, reason: element("supply-reason").textContent };
      parts.push(t("supply.said", words));
    }
    if (known(amount)) {
      const words = { amount: money(amount < 0 ? -amount : amount, view.currency) };
      parts.push(amount < 0 ? t("balance.said_owed", words) : t("balance.said", words));
    }
    if (parts.length) say(parts.join(" "));
    said.at = now;
    said.zone = zone;
  }
  said.supply = supply;
}

function textSize(size) {
  document.documentElement.dataset.size = size;
  remember("size", size);
}

function contrast(more) {
  document.documentElement.dataset.contrast = more ? "more" : "";
  element("contrast").setAttribute("aria-pressed", String(more));
  remember("contrast", more ? "more" : "");
}

async function start() {
  textSize(remembered("size", "0"));
  contrast(remembered("contrast", "") === "more");
  await loadLanguage();
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
  element("language").addEventListener("click", async () => {
    await switchLanguage();
    refresh();
  });
  element("text-size").addEventListener("click", () => {
    textSize(String((Number(document.documentElement.dataset.size) + 1) % SIZES));
    refresh();
  });
  element("contrast").addEventListener("click", () => contrast(document.documentElement.dataset.contrast !== "more"));
  emergencyButton(refresh);
  loadSession();
  balanceControls(refresh);
  chartControls(refresh);
  tariffControls(() => view);
  addEventListener("resize", refresh);
  refresh();
  openStream(
    (next) => {
      view = next ?? {};
      viewAt = performance.now();
      record(view, viewAt);
      if (view.supply?.state !== "ready") button.stop();
      refresh();
      speak();
    },
    () => {
      signAt = performance.now();
    },
  );
  setInterval(freshness, 1000);
}

start();
