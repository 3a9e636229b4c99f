/** The chosen channel's record as a chart, as one sentence and as a table. ECharts draws; it is loaded last. */

import { fullTime } from "./cells.js";
import { listen, newest, now } from "./live.js";
import { optionsFor } from "./options.js";
import { carryOn, countOf, extent, fetchRecord, flagged, lastOf } from "./record.js";
import { colour, onTheme } from "./theme.js";
import { NOTHING, number, quality, spanText, t, valueText, withUnit } from "./words.js";

const AGAIN_MS = 2000;
const ROWS = 20;
const MOVE_MS = 5000;

let library = null;
let drawn = null;
let drawnFor = "";
let about = null;
let question = "";
let record = null;
let timer = 0;
let isLive = false;

/** Loads the library, shows the chosen channel and keeps it live. */
export function watchChart() {
  library = import(document.documentElement.dataset.chartModule).then((module) => module.echarts);
  showChart();
  onTheme(draw);
  listen("values", ({ devices }) => {
    const reading = about && devices[about.device]?.[about.channel];
    if (reading && record && carryOn(record, reading, about.span)) show();
  });
  listen("health", ({ open, live, readiness }) => {
    const before = isLive;
    isLive = Boolean(open && live && readiness?.ready);
    if (isLive && !before) load();
  });
  setInterval(() => record && draw(), MOVE_MS);
}

/** Shows what the page has chosen now; asks for the record only if that is another one. */
export function showChart() {
  about = JSON.parse(document.getElementById("chart-of").textContent);
  if (!about) return;
  const asks = [about.device, about.channel, about.span].join();
  if (asks === question && record) {
    draw();
    return;
  }
  question = asks;
  record = null;
  say(t("chart.loading"));
  load();
}

/** Does nothing while the worker is away: it is called again when that is back. */
async function load() {
  clearTimeout(timer);
  if (!isLive || !about) return;
  const asked = question;
  try {
    const answer = await fetchRecord(about);
    if (!answer) return;
    record = answer;
    const reading = newest(about.device, about.channel);
    if (reading) carryOn(record, reading, about.span);
    show();
  } catch {
    if (asked !== question) return;
    if (!record) say(t("chart.failed"));
    timer = setTimeout(load, AGAIN_MS);
  }
}

function show() {
  say(summary());
  fillTable();
  draw();
}

async function draw() {
  if (!record || !about) return;
  const echarts = await library;
  const place = document.querySelector("#detail .chart");
  if (!place || !record) return;
  if (drawn?.getDom() !== place) {
    drawn?.dispose();
    drawnFor = "";
    drawn = echarts.init(place, null, { renderer: "canvas" });
    new ResizeObserver(() => !drawn.isDisposed() && drawn.resize()).observe(place);
  }
  // A tooltip stays open while the same channel moves on; another channel starts from nothing.
  drawn.setOption(optionsFor(about, record, now(), colour), { notMerge: drawnFor !== question });
  drawnFor = question;
  place.dataset.points = record.readings.length;
}

function say(text) {
  document.querySelector("#detail figcaption").textContent = text;
  document.querySelector("#detail .chart").setAttribute("aria-label", text);
}

function summary() {
  const { readings } = record;
  const span = extent(record);
  if (!readings.length || !span) return t("chart.empty");
  const parts = {
    channel: about.title,
    count: countOf(record),
    width: spanText(record.width),
    last: withUnit(about, lastOf(record)),
    low: withUnit(about, span[0]),
    high: withUnit(about, span[1]),
    changes: readings.filter(({ value }, i) => i && value !== readings[i - 1].value).length,
    flagged: readings.filter(flagged).length,
  };
  const kind = record.width ? "chart.summary_windows" : about.states.length ? "chart.summary_state" : "chart.summary";
  const text = t(kind, parts);
  return record.truncated ? `${text} ${t("chart.truncated")}` : text;
}

function fillTable() {
  const { readings } = record;
  const shown = readings.filter((reading, i) => flagged(reading) || i >= readings.length - ROWS).reverse();
  const rows = shown.map((reading) => {
    const { t: at, flag, test } = reading;
    const row = document.createElement("tr");
    for (const text of [fullTime(at), `${amount(reading)} ${about.unit}`, quality(flag, test) || t("flag.good")]) {
      row.insertCell().textContent = text;
    }
    row.cells[0].title = new Date(at).toISOString();
    return row;
  });
  document.querySelector("#detail tbody").replaceChildren(...rows);
  const note = record.width ? "chart.table_note_windows" : "chart.table_note";
  document.querySelector("#detail .table-note").textContent = t(note, { n: Math.min(ROWS, readings.length) });
}

/** A reading's value; of a window the mean with its extremes. */
function amount({ value, low, high }) {
  if (low === undefined) return valueText(about, value);
  const mean = value === null ? NOTHING : number(value, about.decimals);
  return `${mean} (${valueText(about, low)} … ${valueText(about, high)})`;
}
