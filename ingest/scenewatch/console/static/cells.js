/** Values, ages, times and states on the page, kept up to date where they stand; nothing is moved. */

import { listen, newest, newestAt, now } from "./live.js";
import { channel, count, has, language, NOTHING, number, quality, sign, spanText, t, valueText } from "./words.js";

const STALE_INTERVALS = 3;
const TITLE = document.title;

let byChannel = new Map();
let clocks = { day: null, time: null, full: null };

/** Finds all cells again; after parts of the page were put in place. */
export function index() {
  byChannel = new Map();
  for (const cell of document.querySelectorAll(".value[data-device]")) {
    const key = `${cell.dataset.device}.${cell.dataset.channel}`;
    if (!byChannel.has(key)) byChannel.set(key, []);
    byChannel.get(key).push(cell);
    const reading = newest(cell.dataset.device, cell.dataset.channel);
    if (reading) show(cell, reading, false);
  }
  clocks = {
    time: new Intl.DateTimeFormat(language(), { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
    day: new Intl.DateTimeFormat(language(), { month: "short", day: "numeric" }),
    full: new Intl.DateTimeFormat(language(), { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" }),
  };
  for (const time of document.querySelectorAll("time[data-at]")) time.textContent = moment(Number(time.dataset.at));
  tick();
}

/** A time in the browser's zone, with the day when it is not today. */
export function moment(at) {
  const date = new Date(at);
  const text = clocks.time.format(date);
  return date.toDateString() === new Date(now()).toDateString() ? text : `${clocks.day.format(date)} ${text}`;
}

export function fullTime(at) {
  return clocks.full.format(new Date(at));
}

/** Keeps cells, states and sums live from here on. */
export function keepLive() {
  listen("values", ({ devices, whole }) => {
    for (const [device, channels] of Object.entries(devices)) {
      for (const [key, reading] of Object.entries(channels)) {
        for (const cell of byChannel.get(`${device}.${key}`) ?? []) show(cell, reading, !whole);
      }
    }
  });
  listen("states", showStates);
  listen("ledger", showLedger);
  setInterval(tick, 1000);
}

function show(cell, [value, at, flag, test], animate) {
  const about = channel(cell.dataset.type, cell.dataset.channel);
  if (!about) return;
  const text = valueText(about, value);
  const n = cell.querySelector(".n");
  if (n.textContent !== text) {
    n.textContent = text;
    cell.classList.remove("changed");
    if (animate) requestAnimationFrame(() => cell.classList.add("changed"));
  }
  cell.dataset.flag = flag;
  cell.querySelector(".flag").textContent = value === null ? "" : sign(flag);
  const why = quality(flag, test);
  cell.title = at ? [why, fullTime(at)].filter(Boolean).join(" · ") : t("no_value");
}

export function mark(place, state, word) {
  place.dataset.state = state;
  place.querySelector(".sign").textContent = sign(state);
  const text = place.querySelector(".word");
  if (text.textContent !== word) text.textContent = word;
}

function showStates(states) {
  for (const [kind, of] of [["card", states.devices], ["site", states.sites]]) {
    for (const place of document.querySelectorAll(`[data-${kind}]`)) {
      const state = of[place.dataset[kind]];
      if (state) mark(place.querySelector(".state"), state, t(`state.${state}`));
    }
  }
  for (const sum of document.querySelectorAll("[data-total]")) {
    const total = states.totals[sum.dataset.total];
    if (total === undefined) continue;
    sum.textContent = count(total);
    const around = sum.closest("[data-zero]");
    if (around) around.dataset.zero = total === 0 ? "yes" : "no";
  }
  const { high, medium, low } = states.totals;
  const standing = high + medium + low;
  document.title = standing ? `${sign(high ? "high" : medium ? "medium" : "low")} ${standing} · ${TITLE}` : TITLE;
}

function showLedger(ledger) {
  for (const place of document.querySelectorAll("[data-ledger]")) {
    const value = place.dataset.ledger.split(".").reduce((inside, key) => inside?.[key], ledger);
    place.textContent = value === null || value === undefined ? NOTHING : countOrRate(value);
  }
  for (const place of document.querySelectorAll("[data-part]")) {
    // A state may bring its reason, such as "waiting: the disk is full".
    const [word, ...reason] = ledger[place.dataset.part].state.split(/:?\s+/);
    place.textContent = [has(`part.${word}`) ? t(`part.${word}`) : word, ...reason].join(" ");
  }
  for (const place of document.querySelectorAll(".balance")) {
    mark(place, ledger.balanced ? "normal" : "high", t(ledger.balanced ? "ledger.balanced" : "ledger.unbalanced"));
  }
}

function countOrRate(value) {
  return Number.isInteger(value) || value >= 100 ? count(Math.round(value)) : number(value, 1);
}

/** What grows older by itself. */
function tick() {
  for (const span of document.querySelectorAll("[data-since]")) span.textContent = spanText(now() - Number(span.dataset.since));
  for (const place of document.querySelectorAll("[data-card]")) {
    const age = place.querySelector(".age");
    const at = newestAt(place.dataset.card);
    const old = at && now() - at > STALE_INTERVALS * Number(place.dataset.every);
    const text = old ? t("old", { age: spanText(now() - at) }) : "";
    if (age && age.textContent !== text) age.textContent = text;
  }
}
