/** The chosen span of a device's channels as a chart, as sentences and as a table. ECharts draws; it is loaded last. */

import { fullTime } from "./cells.js";
import { listen, newest, now } from "./live.js";
import { optionsFor } from "./options.js";
import { carryOn, countOf, extent, fetchMarks, fetchRecord, flagged, lastOf } from "./record.js";
import { colour, onTheme } from "./theme.js";
import { NOTHING, number, quality, spanText, t, valueText, withUnit } from "./words.js";

const AGAIN_MS = 2000;
const ROWS = 20;
const MOVE_MS = 5000;
const AT_MOST_EACH_MS = 250;

let library = null;
let drawn = null;
let drawnFor = "";
let about = null;
let question = "";
let answered = "";
let records = null;
let marks = { alarms: [], events: [] };
let turn = 0;
let timer = 0;
let drawing = 0;
let isLive = false;
let isReady = false;

/** Loads the library, shows what is chosen and keeps it live. */
export function watchChart() {
  library = import(document.documentElement.dataset.chartModule).then((module) => module.echarts);
  showChart();
  onTheme(draw);
  addEventListener("popstate", showChart);
  listen("values", ({ devices }) => follow(devices));
  listen("health", ({ open, live, readiness }) => {
    const answers = Boolean(open && live);
    const ready = Boolean(answers && readiness?.ready);
    // a worker without its broker still has the record; one that has just written its past has more of it
    const reload = (answers && !isLive) || (ready && !isReady);
    isLive = answers;
    isReady = ready;
    if (reload) load();
  });
  setInterval(() => records && !fixed() && draw(), MOVE_MS);
}

/** Shows what page and address say now; asks for the record only if that is another one. */
export function showChart() {
  const text = document.getElementById("chart-of")?.textContent;
  about = text ? JSON.parse(text) : null;
  if (!about) return;
  about.span = askedSpan() ?? about.span;
  const asks = JSON.stringify([about.device, about.channels.map(({ key }) => key), fixed() ?? about.span]);
  if (asks === question && records) {
    show();
    loadMarks();
    return;
  }
  const isOther = !records || records.size !== about.channels.length || !about.channels.every(({ key }) => records.has(key));
  if (isOther) records = null;
  question = asks;
  if (isOther) for (const { key } of about.channels) say(key, t("chart.loading"));
  else draw(); // what is known already, at its new place, until the finer readings come
  showSpan();
  load();
}

/** The first and last time shown; where the chart follows time it ends now. */
export function shownSpan() {
  const at = Math.ceil(now());
  return fixed() ?? [at - about.span, at];
}

/** Where in time a point on the chart is; null while there is none. */
export function timeAt(x) {
  return drawn ? drawn.convertFromPixel({ xAxisIndex: 0 }, x) : null;
}

/** The span that the address fixes, or else the page; null when the chart follows time. */
function fixed() {
  const asked = new URL(location.href).searchParams;
  const [from, to] = [Number(asked.get("from")), Number(asked.get("to"))];
  return from > 0 && to > from ? [from, to] : (about?.window ?? null);
}

/** The page was rendered earlier: the address knows what was chosen since. */
function askedSpan() {
  const span = new URL(location.href).searchParams.get("span") ?? "";
  const link = document.querySelector(`.spans [data-key="${CSS.escape(span)}"]`);
  return link && Number(link.dataset.ms);
}

/** Does nothing while the worker is away: it is called again when that is back. */
async function load() {
  clearTimeout(timer);
  if (!isLive || !about) return;
  const mine = ++turn;
  const [from, to] = shownSpan();
  const { device, every, channels } = about;
  const follows = !fixed();
  const asks = question;
  try {
    const [found, answers] = await Promise.all([
      fetchMarks({ device, from, to, alarm: about.alarm }),
      Promise.all(channels.map((c) => fetchRecord({ device, channel: c.key, every: c.every ?? every, from, to: to + 1, follows }))),
    ]);
    if (mine !== turn) return;
    marks = found;
    records = new Map(channels.map(({ key }, i) => [key, answers[i]]));
    answered = asks;
    follow({ [device]: Object.fromEntries(channels.map(({ key }) => [key, newest(device, key)])) });
    show();
  } catch {
    if (mine !== turn) return;
    if (!records) for (const { key } of channels) say(key, t("chart.failed"));
    timer = setTimeout(load, AGAIN_MS);
  }
}

/** After the page's part changed: an alarm or event may be new. */
async function loadMarks() {
  const mine = turn;
  const [from, to] = shownSpan();
  try {
    const found = await fetchMarks({ device: about.device, from, to, alarm: about.alarm });
    if (mine !== turn) return;
    marks = found;
    draw();
  } catch {
    load();
  }
}

/** Takes in what came live; a span that is fixed stays as it is. */
function follow(devices) {
  const channels = about && records && !fixed() && devices[about.device];
  if (!channels) return;
  const [from] = shownSpan();
  let moved = false;
  for (const [key, record] of records) {
    if (channels[key] && carryOn(record, channels[key], from)) moved = true;
  }
  if (moved) drawing ||= setTimeout(show, AT_MOST_EACH_MS);
}

function show() {
  clearTimeout(drawing);
  drawing = 0;
  if (!records || !about) return;
  for (const channel of about.channels) say(channel.key, summary(channel, records.get(channel.key)));
  showSpan();
  fillTable(about.channels[0]);
  draw();
}

async function draw() {
  if (!records || !about) return;
  const echarts = await library;
  const place = document.querySelector(".chart");
  if (!place || !records) return;
  if (drawn?.getDom() !== place) {
    drawn?.dispose();
    drawnFor = "";
    drawn = echarts.init(place, null, { renderer: "canvas" });
    new ResizeObserver(() => !drawn.isDisposed() && drawn.resize()).observe(place);
  }
  const options = optionsFor(about, records, { marks, span: shownSpan(), colour, isNarrow: place.clientWidth < 500 });
  // A tooltip stays open while the same lines move on; others start from nothing.
  const lines = JSON.stringify([about.device, options.series.map(({ id }) => id)]);
  drawn.setOption(options, { notMerge: lines !== drawnFor });
  drawnFor = lines;
  place.dataset.points = [...records.values()].reduce((sum, { readings }) => sum + readings.length, 0);
  place.dataset.drawn = answered; // what is asked now may still be on its way
}

function say(key, text) {
  const place = document.querySelector(`figcaption [data-of="${CSS.escape(key)}"]`);
  if (place && place.textContent !== text) place.textContent = text;
}

function showSpan() {
  const between = fixed();
  const text = between
    ? t("chart.between", { from: fullTime(between[0]), to: fullTime(between[1]) })
    : t("chart.follows", { span: spanText(about.span) });
  const place = document.querySelector(".shown-span");
  if (place.textContent !== text) place.textContent = text;
  for (const link of document.querySelectorAll(".spans a")) {
    if (!between && Number(link.dataset.ms) === about.span) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

function summary(channel, record) {
  const { readings } = record;
  const span = extent(record);
  if (!readings.length || !span) return `${channel.title}: ${t("chart.empty")}`;
  const parts = {
    channel: channel.title,
    count: countOf(record),
    width: spanText(record.width),
    when: t(fixed() ? "chart.end" : "chart.now"),
    last: withUnit(channel, lastOf(record)),
    low: withUnit(channel, span[0]),
    high: withUnit(channel, span[1]),
    changes: readings.filter(({ value }, i) => i && value !== readings[i - 1].value).length,
    flagged: readings.filter(flagged).length,
  };
  const kind = record.width ? "chart.summary_windows" : channel.states.length ? "chart.summary_state" : "chart.summary";
  const text = t(kind, parts);
  return record.truncated ? `${text} ${t("chart.truncated")}` : text;
}

function fillTable(channel) {
  const { readings, width } = records.get(channel.key);
  const shown = readings.filter((reading, i) => flagged(reading) || i >= readings.length - ROWS).reverse();
  const rows = shown.map((reading) => {
    const { t: at, flag, test } = reading;
    const row = document.createElement("tr");
    for (const text of [fullTime(at), `${amount(channel, reading)} ${channel.unit}`, quality(flag, test) || t("flag.good")]) {
      row.insertCell().textContent = text;
    }
    row.cells[0].title = new Date(at).toISOString();
    return row;
  });
  document.querySelector("#chart tbody").replaceChildren(...rows);
  const note = width ? "chart.table_note_windows" : "chart.table_note";
  document.querySelector("#chart .table-note").textContent = t(note, { n: Math.min(ROWS, readings.length) });
}

/** A reading's value; of a window the mean with its extremes. */
function amount(channel, { value, low, high }) {
  if (low === undefined) return valueText(channel, value);
  const mean = value === null ? NOTHING : number(value, channel.decimals);
  return `${mean} (${valueText(channel, low)} … ${valueText(channel, high)})`;
}
