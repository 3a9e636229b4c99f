/**
 * What ECharts is told: one plot a channel above a common time axis, with flagged readings, limits and the spans of
 * alarms, and a row of events above all. Pure: data in, options out.
 */

import { fullTime } from "./cells.js";
import { extent, flagged, gapOf, linePoints } from "./record.js";
import { has, number, quality, sign, t, valueText, withUnit } from "./words.js";
import { band, farthest } from "./windows.js";

const FLAG_SHAPES = { suspect: ["triangle", "medium"], fail: ["diamond", "high"] };
const LEVEL_SHAPES = { info: ["circle", "quiet"], warning: ["diamond", "medium"], alarm: ["triangle", "high"] };
const TRANSPARENT = 0.14;
const RIGHT_PX = 14;
const EVENTS_PX = 22;
const NAMED_EVENTS = 8;
const NAME_LETTERS = 18;
const NEAR = 0.01;

export function optionsFor(about, records, { marks, span, colour, isNarrow }) {
  const left = isNarrow ? 52 : 74;
  const plots = about.channels.map((channel, i) => {
    const record = records.get(channel.key);
    return { channel, record, at: i + 1, bounds: bounds(channel, record), gap: gapOf(record, channel.every ?? about.every) };
  });
  const last = plots.length;
  const events = { at: 0, channel: { top: 2, height: EVENTS_PX }, bounds: [0, 1] };
  return {
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    axisPointer: { link: [{ xAxisIndex: "all" }], lineStyle: { color: colour("strong-line") } },
    title: plots.map(({ channel }) => title(channel, colour)),
    grid: [events, ...plots].map(({ channel }) => ({
      left, right: RIGHT_PX, top: channel.top, height: channel.height, containLabel: false,
    })),
    tooltip: tooltip(about, plots, marks.events, span, colour),
    xAxis: [events, ...plots].map(({ at }) => xAxis(at, at === last, span, isNarrow, colour)),
    yAxis: [hiddenAxis(), ...plots.map((plot) => yAxis(plot, left, colour))],
    series: [
      eventMarks(about, marks.events, isNarrow, colour),
      ...plots.flatMap((plot) => [
        line(about, plot, marks.alarms, span, colour),
        ...(plot.record.width ? band(plot.record.readings, plot.gap, colour).map((one) => within(plot, one)) : []),
        ...Object.keys(FLAG_SHAPES).map((flag) => within(plot, flagMarks(flag, plot, colour))),
      ]),
    ],
  };
}

/** Names are unique on the whole chart: stacks too, or bands would stand on each other. */
function within({ channel, at }, series) {
  const stack = series.stack && { stack: `${series.stack}:${channel.key}` };
  return { ...series, ...stack, id: `${series.id}:${channel.key}`, xAxisIndex: at, yAxisIndex: at };
}

function title(channel, colour) {
  return {
    text: channel.unit ? `${channel.title}  {unit|${channel.unit}}` : channel.title,
    left: 8,
    top: channel.top - 22,
    padding: 0,
    textStyle: { fontSize: 12, fontWeight: 600, color: colour("text"), rich: { unit: { fontSize: 12, color: colour("quiet") } } },
  };
}

/** The axis holds all values that can be believed, and the limits; states get room above and below. */
function bounds(channel, record) {
  const states = channel.states.map(([value]) => value);
  if (states.length) return [Math.min(...states) - 0.3, Math.max(...states) + 0.3];
  const span = extent(record) ?? [0, 1];
  const all = [...span, ...channel.lines.map((limit) => limit.at)];
  const low = Math.min(...all);
  const high = Math.max(...all);
  const room = Math.max((high - low) * 0.08, 2 * 10 ** -channel.decimals);
  return [low - room, high + room];
}

function xAxis(at, isLast, [min, max], isNarrow, colour) {
  return {
    gridIndex: at,
    type: "time",
    min,
    max,
    splitNumber: isNarrow ? 3 : 8,
    axisLine: { show: at > 0, onZero: false, lineStyle: { color: colour(isLast ? "strong-line" : "line") } },
    axisTick: { show: isLast },
    axisLabel: { show: isLast, color: colour("quiet"), hideOverlap: true },
    splitLine: { show: at > 0, lineStyle: { color: colour("line"), opacity: 0.6 } },
  };
}

function hiddenAxis() {
  return { gridIndex: 0, type: "value", min: 0, max: 1, show: false };
}

function yAxis({ channel, at, bounds: [min, max] }, left, colour) {
  const words = new Map(channel.states);
  const label = { color: colour("quiet"), width: left - 10, overflow: "truncate", fontSize: 11 };
  return {
    gridIndex: at,
    type: "value",
    min,
    max,
    splitNumber: 3,
    splitLine: { lineStyle: { color: colour("line") } },
    axisLabel: words.size
      ? { ...label, customValues: [...words.keys()], formatter: (value) => words.get(value) ?? "" }
      : {
          ...label,
          showMinLabel: false,
          showMaxLabel: false,
          formatter: (value) => valueText({ ...channel, decimals: value % 1 ? channel.decimals : 0 }, value),
        },
    axisTick: words.size ? { customValues: [...words.keys()] } : {},
  };
}

function line(about, plot, alarms, [from, to], colour) {
  const { channel, record, gap } = plot;
  const isState = channel.states.length > 0;
  const shown = alarms.filter((alarm) => alarm.raised_at < to && (alarm.cleared_at ?? to) > from && isOn(about, alarm, plot));
  return within(plot, {
    id: "line",
    type: "line",
    data: linePoints(record, gap),
    step: isState ? "end" : false,
    showSymbol: record.readings.length < 30,
    symbolSize: 5,
    sampling: isState || record.width ? undefined : "minmax", // windows are few, and hold their extremes
    lineStyle: { width: 2, color: colour("series") },
    itemStyle: { color: colour("series") },
    markLine: { silent: true, symbol: "none", animation: false, data: limitLines(channel, colour) },
    markArea: { silent: true, animation: false, data: shown.map((alarm) => alarmArea(alarm, from, to, colour)) },
  });
}

/** An alarm is drawn on the channels of its rule; one of none that is shown on the first. */
function isOn(about, { rule }, { channel, at }) {
  const on = (about.rules[rule] ?? []).filter((key) => about.channels.some((one) => one.key === key));
  return on.length ? on.includes(channel.key) : at === 1;
}

/** Limits that follow each other closely are named at different ends, where neither is written over the other. */
function limitLines(channel, colour) {
  const upwards = [...channel.lines].sort((one, other) => one.at - other.at);
  return upwards.map((one, i) => limitLine(channel, one, i % 2 ? "insideEndTop" : "insideStartTop", colour));
}

function limitLine(channel, limit, position, colour) {
  const ink = colour(limit.priority);
  const label = {
    position,
    formatter: `${t("limit")} ${withUnit(channel, limit.at)} · ${limit.text}`,
    color: ink,
    fontSize: 11,
    textBorderColor: colour("panel"), // a rim, by which it is read over lines and readings
    textBorderWidth: 3,
  };
  return { yAxis: limit.at, lineStyle: { color: ink, type: [6, 4], width: 1.5 }, label };
}

function alarmArea(alarm, from, to, colour) {
  const ink = colour(alarm.priority);
  const fill = ink.replace(/^rgb\((.+)\)$/, `rgba($1, ${TRANSPARENT})`);
  const label = { show: true, position: "insideTop", color: ink, formatter: sign(alarm.priority), fontSize: 12 };
  return [
    { xAxis: Math.max(alarm.raised_at, from), itemStyle: { color: fill, borderColor: ink, borderWidth: 1 }, label },
    { xAxis: Math.min(alarm.cleared_at ?? to, to) },
  ];
}

/** Flagged readings; one far off the axis is put at its edge, its true value is in the tooltip and the table. */
function flagMarks(flag, { record, bounds: [low, high] }, colour) {
  const [symbol, ink] = FLAG_SHAPES[flag];
  return {
    id: flag,
    type: "scatter",
    symbol,
    symbolSize: 11,
    itemStyle: { color: colour(ink), borderColor: colour("panel"), borderWidth: 1 },
    data: record.readings
      .filter((reading) => reading.flag === flag && farthest(reading) !== null && flagged(reading))
      .map((reading) => [reading.t, Math.min(high, Math.max(low, farthest(reading))), farthest(reading), reading.test]),
    z: 5,
  };
}

function eventMarks(about, events, isNarrow, colour) {
  const isNamed = events.length <= NAMED_EVENTS && !isNarrow;
  return {
    id: "events",
    type: "scatter",
    xAxisIndex: 0,
    yAxisIndex: 0,
    symbolSize: 11,
    data: events.map((event) => {
      const [symbol, ink] = LEVEL_SHAPES[event.level] ?? LEVEL_SHAPES.info;
      const label = { show: isNamed, position: "right", formatter: short(eventText(about, event)), color: colour("text"), fontSize: 11 };
      return { value: [event.at, 0.5], symbol, itemStyle: { color: colour(ink) }, label };
    }),
    labelLayout: { hideOverlap: true },
  };
}

/** Formatters take braces for their own signs, and devices may send any. */
function short(text) {
  const letters = [...text.replace(/[{}]/g, "")];
  return letters.length > NAME_LETTERS ? `${letters.slice(0, NAME_LETTERS - 1).join("")}…` : letters.join("");
}

function eventText(about, { kind, text }) {
  return [about.kinds[kind] ?? kind, text].filter(Boolean).join(": ");
}

function tooltip(about, plots, events, [from, to], colour) {
  return {
    trigger: "axis",
    renderMode: "richText",
    confine: true,
    backgroundColor: colour("panel"),
    borderColor: colour("strong-line"),
    textStyle: { color: colour("text"), fontSize: 13 },
    formatter: (points) => {
      const found = new Map(points.map((point) => [point.seriesId, point.value]));
      const lines = plots.flatMap((plot) => plotText(plot, found));
      const at = lines[0]?.at ?? points[0].value[0];
      const near = events.filter((event) => Math.abs(event.at - at) < NEAR * (to - from)).slice(0, 3);
      const said = near.map((event) => `${levelText(event.level)}: ${eventText(about, event).replace(/[{}]/g, "")}`);
      return [fullTime(at), ...lines.map(({ text }) => text), ...said].join("\n");
    },
  };
}

function levelText(level) {
  return has(`level.${level}`) ? t(`level.${level}`) : t("chart.event");
}

/** What a channel read at the pointer, and why it is flagged there. */
function plotText({ channel }, found) {
  const point = found.get(`line:${channel.key}`);
  const flag = Object.keys(FLAG_SHAPES).find((one) => found.has(`${one}:${channel.key}`));
  if (!flag && !point) return [];
  const mark = flag && found.get(`${flag}:${channel.key}`);
  const [at, shown] = point ?? mark;
  const isMarked = mark && mark[0] === at;
  const isWindow = point?.length > 2;
  const text = isWindow ? windowText(channel, point) : `${channel.title}: ${withUnit(channel, isMarked ? mark[2] : shown)}`;
  return [{ at, text: isMarked ? `${text} (${quality(flag, mark[3])})` : text }];
}

/** Mean and extremes, and of how many readings. */
function windowText(channel, [, mean, low, high, count]) {
  const parts = { low: withUnit(channel, low), high: withUnit(channel, high), count };
  const unit = channel.unit ? ` ${channel.unit}` : "";
  return `${channel.title}: ${mean === null ? "" : `${number(mean, channel.decimals)}${unit} · `}${t("chart.window", parts)}`;
}
