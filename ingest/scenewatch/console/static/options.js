/** What ECharts is told: the line, flagged readings, limits, and the spans of alarms. Pure: data in, options out. */

import { extent, flagged, linePoints } from "./record.js";
import { quality, sign, t, valueText, withUnit } from "./words.js";
import { fullTime } from "./cells.js";

const FLAG_SHAPES = { suspect: ["triangle", "medium"], fail: ["diamond", "high"] };
const TRANSPARENT = 0.14;

export function optionsFor(about, readings, at, colour) {
  const [low, high] = bounds(about, readings);
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
    series: [line(about, readings, from, at, colour), ...Object.keys(FLAG_SHAPES).map((f) => marks(f, readings, low, high, colour))],
  };
}

/** The axis holds all values that can be believed, and the limits; states get room above and below. */
function bounds(about, readings) {
  const states = about.states.map(([value]) => value);
  if (states.length) return [Math.min(...states) - 0.3, Math.max(...states) + 0.3];
  const span = extent(readings) ?? [0, 1];
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

function line(about, readings, from, at, colour) {
  return {
    id: "line",
    type: "line",
    data: linePoints(readings, about.every),
    step: about.states.length ? "end" : false,
    showSymbol: readings.length < 30,
    symbolSize: 5,
    sampling: about.states.length ? undefined : "minmax",
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
      .filter((reading) => reading.flag === flag && reading.value !== null && flagged(reading))
      .map((reading) => [reading.t, Math.min(high, Math.max(low, reading.value)), reading.value, reading.test]),
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
      const point = points.find((p) => p.seriesId !== "line") ?? points[0];
      const [at, shown, real, test] = point.value;
      const why = point.seriesId === "line" ? "" : quality(point.seriesId, test);
      return [fullTime(at), `${about.title}: ${withUnit(about, real ?? shown)}`, why].filter(Boolean).join("\n");
    },
  };
}
