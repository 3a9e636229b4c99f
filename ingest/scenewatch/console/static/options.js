/** What ECharts is told: the line, flagged readings, limits, and the spans of alarms. Pure: data in, options out. */

import { extent, flagged, gapOf, linePoints } from "./record.js";
import { number, quality, sign, t, valueText, withUnit } from "./words.js";
import { fullTime } from "./cells.js";
import { band, farthest } from "./windows.js";

const FLAG_SHAPES = { suspect: ["triangle", "medium"], fail: ["diamond", "high"] };
const TRANSPARENT = 0.14;

export function optionsFor(about, record, at, colour) {
  const [low, high] = bounds(about, record);
  const from = at - about.span;
  return {
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    grid: { left: 8, right: 16, top: 28, bottom: 8, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    tooltip: tooltip(about, colour),
    xAxis: {
      type: "time",
      min: from,
      max: at,
      axisLine: { onZero: false, lineStyle: { color: colour("strong-line") } },
      axisLabel: { color: colour("quiet"), hideOverlap: true },
      splitLine: { show: false },
    },
    yAxis: yAxis(about, low, high, colour),
    series: [
      line(about, record, from, at, colour),
      ...(record.width ? band(record.readings, gapOf(record, about.every), colour) : []),
      ...Object.keys(FLAG_SHAPES).map((flag) => marks(flag, record.readings, low, high, colour)),
    ],
  };
}

/** The axis holds all values that can be believed, and the limits; states get room above and below. */
function bounds(about, record) {
  const states = about.states.map(([value]) => value);
  if (states.length) return [Math.min(...states) - 0.3, Math.max(...states) + 0.3];
  const span = extent(record) ?? [0, 1];
  const all = [...span, ...about.limits.map((limit) => limit.at)];
  const low = Math.min(...all);
  const high = Math.max(...all);
  const room = Math.max((high - low) * 0.08, 2 * 10 ** -about.decimals);
  return [low - room, high + room];
}

function yAxis(about, low, high, colour) {
  const words = new Map(about.states);
  const label = { color: colour("quiet"), showMinLabel: words.size > 0, showMaxLabel: words.size > 0 };
  return {
    type: "value",
    name: about.unit,
    nameTextStyle: { color: colour("quiet"), align: "right" },
    min: low,
    max: high,
    splitLine: { lineStyle: { color: colour("line") } },
    axisLabel: words.size
      ? { ...label, customValues: [...words.keys()], formatter: (value) => words.get(value) ?? "" }
      : { ...label, formatter: (value) => valueText({ ...about, decimals: value % 1 ? about.decimals : 0 }, value) },
    axisTick: words.size ? { customValues: [...words.keys()] } : {},
  };
}

function line(about, record, from, at, colour) {
  return {
    id: "line",
    type: "line",
    data: linePoints(record, gapOf(record, about.every)),
    step: about.states.length ? "end" : false,
    showSymbol: record.readings.length < 30,
    symbolSize: 5,
    sampling: about.states.length || record.width ? undefined : "minmax", // windows are few, and hold their extremes
    lineStyle: { width: 2, color: colour("series") },
    itemStyle: { color: colour("series") },
    markLine: {
      silent: true,
      symbol: "none",
      animation: false,
      data: about.states.length ? [] : about.limits.map((limit) => limitLine(about, limit, colour)),
    },
    markArea: {
      silent: true,
      animation: false,
      data: about.alarms.filter((alarm) => (alarm.to ?? at) > from).map((alarm) => alarmArea(alarm, from, at, colour)),
    },
  };
}

function limitLine(about, limit, colour) {
  const ink = colour(limit.priority);
  return {
    yAxis: limit.at,
    lineStyle: { color: ink, type: [6, 4], width: 1.5 },
    label: {
      position: "insideStartTop",
      formatter: `${t("limit")} ${withUnit(about, limit.at)} · ${limit.text}`,
      color: ink,
      fontSize: 12,
    },
  };
}

function alarmArea(alarm, from, at, colour) {
  const ink = colour(alarm.priority);
  const fill = ink.replace(/^rgb\((.+)\)$/, `rgba($1, ${TRANSPARENT})`);
  const label = { show: true, position: "insideTop", color: ink, formatter: sign(alarm.priority), fontSize: 12 };
  return [
    { xAxis: Math.max(alarm.from, from), itemStyle: { color: fill, borderColor: ink, borderWidth: 1 }, label },
    { xAxis: alarm.to ?? at },
  ];
}

/** Flagged readings; one far off the axis is put at its edge, its true value is in the tooltip and the table. */
function marks(flag, readings, low, high, colour) {
  const [symbol, ink] = FLAG_SHAPES[flag];
  return {
    id: flag,
    type: "scatter",
    symbol,
    symbolSize: 11,
    itemStyle: { color: colour(ink), borderColor: colour("panel"), borderWidth: 1 },
    data: readings
      .filter((reading) => reading.flag === flag && farthest(reading) !== null && flagged(reading))
      .map((reading) => [reading.t, Math.min(high, Math.max(low, farthest(reading))), farthest(reading), reading.test]),
    z: 5,
  };
}

function tooltip(about, colour) {
  return {
    trigger: "axis",
    renderMode: "richText",
    confine: true,
    backgroundColor: colour("panel"),
    borderColor: colour("strong-line"),
    textStyle: { color: colour("text"), fontSize: 13 },
    axisPointer: { lineStyle: { color: colour("strong-line") } },
    formatter: (points) => {
      const mark = points.find((p) => p.seriesId in FLAG_SHAPES);
      const point = points.find((p) => p.seriesId === "line");
      const [at, shown, real, test] = (mark ?? point ?? points[0]).value;
      const why = mark ? quality(mark.seriesId, test) : "";
      const isWindow = point?.value.length > 2;
      const text = isWindow ? windowText(about, point.value) : `${about.title}: ${withUnit(about, mark ? real : shown)}`;
      return [fullTime(at), text, why].filter(Boolean).join("\n");
    },
  };
}

/** Mean and extremes, and of how many readings. */
function windowText(about, [, mean, low, high, count]) {
  const parts = { low: withUnit(about, low), high: withUnit(about, high), count };
  const unit = about.unit ? ` ${about.unit}` : "";
  return `${about.title}: ${mean === null ? "" : `${number(mean, about.decimals)}${unit} · `}${t("chart.window", parts)}`;
}
