/** The record of one channel over one span: fetched once, then carried on by what comes live. */

import { newest, now } from "./live.js";
import { believed, takeIn, windowOf } from "./windows.js";

const LIMIT = 20000;
const WINDOWS = 800;
const GAP_INTERVALS = 3;

let turn = 0;

/**
 * `readings` as `{t, value, flag, test}`, ascending; where they would be too many, windows of `width` milliseconds
 * in their place, with `low`, `high` and `count`. Null when a newer question was asked meanwhile.
 * Throws when the console or its worker does not answer.
 */
export async function fetchRecord({ device, channel, span, every }) {
  const mine = ++turn;
  const to = Math.ceil(now()) + 1000;
  const isLong = span / every > LIMIT;
  const last = newest(device, channel);
  const query = isLong
    ? new URLSearchParams({ series: `${device}.${channel}`, from: to - span, to, points: WINDOWS })
    : new URLSearchParams({ device, channel, from: to - span, to, limit: LIMIT });
  const response = await fetch(`/api/v1/${isLong ? "chart" : "readings"}?${query}`);
  if (mine !== turn) return null;
  if (!response.ok) throw new Error(`the worker answers ${response.status}`);
  const answer = await response.json();
  if (mine !== turn) return null;
  const { truncated, width_ms: width = 0 } = answer;
  if (!isLong) return { readings: answer.readings, truncated, width, seen: answer.readings.at(-1)?.t ?? 0 };
  return { readings: answer.windows.map(windowOf), truncated, width: width || every, seen: last?.[1] ?? 0, last: last?.[0] };
}

/** Adds a live reading if it is newer than all others, and lets go of what is out of the span. Tells if it did. */
export function carryOn(record, reading, span) {
  const [value, at, flag, test] = reading;
  const { readings } = record;
  if (at === null || at <= record.seen) return false;
  record.seen = at;
  record.last = value;
  if (record.width) takeIn(readings, record.width, reading);
  else readings.push({ t: at, value, flag, test });
  const old = now() - span;
  let gone = 0;
  while (gone < readings.length && readings[gone].t < old) gone++;
  readings.splice(0, gone);
  return true;
}

/** Readings are counted one by one, also those in windows. */
export function countOf({ readings }) {
  return readings.reduce((sum, { count = 1 }) => sum + count, 0);
}

export function lastOf({ readings, last }) {
  return last ?? readings.at(-1).value;
}

export function flagged(reading) {
  return reading.flag === "suspect" || reading.flag === "fail";
}

/** Two neighbours farther apart than this were silent between. */
export function gapOf(record, every) {
  return Math.max(GAP_INTERVALS * every, 2 * record.width);
}

/** Points of the line: broken at gaps, and where nothing is to be believed. */
export function linePoints({ readings, width }, gap) {
  const points = [];
  let before = null;
  for (const { t, value, low, high, count, flag } of readings) {
    if (before !== null && t - before > gap) points.push([before + 1, null]);
    const isNone = !width && (flag === "fail" || flag === "missing");
    points.push(width ? [t, value, low, high, count] : [t, isNone ? null : value]);
    before = t;
  }
  return points;
}

/** Lowest and highest value that can be believed; null when there is none. */
export function extent({ readings, width }) {
  let low = Infinity;
  let high = -Infinity;
  for (const reading of readings) {
    if (reading.value === null || (!width && reading.flag === "fail")) continue;
    const [least, most] = believed(reading);
    low = Math.min(low, least);
    high = Math.max(high, most);
  }
  return low <= high ? [low, high] : null;
}
