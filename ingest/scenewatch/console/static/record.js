/** The record of one channel over one span: fetched once, then carried on by what comes live. */

import { newest } from "./live.js";
import { believed, takeIn, windowOf } from "./windows.js";

const LIMIT = 4000;
const WINDOWS = 800;
const MARKS = 500;
const GAP_INTERVALS = 3;

/**
 * `readings` as `{t, value, flag, test}`, ascending; where they would be too many, windows of `width` milliseconds
 * in their place, with `low`, `high` and `count`. A record that `follows` is carried on by what comes live.
 * Throws when the console or its worker does not answer.
 */
export async function fetchRecord({ device, channel, every, from, to, follows }) {
  const isLong = (to - from) / every > LIMIT;
  const last = follows ? newest(device, channel) : undefined;
  const query = isLong
    ? new URLSearchParams({ series: `${device}.${channel}`, from, to, points: WINDOWS })
    : new URLSearchParams({ device, channel, from, to, limit: 2 * LIMIT });
  const answer = await ask(`/api/v1/${isLong ? "chart" : "readings"}?${query}`);
  const { truncated, width_ms: width = 0 } = answer;
  if (!isLong) return { readings: answer.readings, truncated, width, seen: answer.readings.at(-1)?.t ?? 0 };
  return { readings: answer.windows.map(windowOf), truncated, width: width || every, seen: last?.[1] ?? 0, last: last?.[0] };
}

/** Alarms and events of a device, to be drawn beside its readings; of a page about one `alarm` that alone. */
export async function fetchMarks({ device, from, to, alarm }) {
  const about = new URLSearchParams({ device, limit: MARKS });
  const [alarms, { events }] = await Promise.all([
    alarm ? [alarm] : ask(`/api/v1/alarms?${about}&state=all`).then((answer) => answer.alarms),
    ask(`/api/v1/events?${about}&from=${from}&to=${to}`),
  ]);
  return { alarms: alarms.filter((one) => one.device === device), events };
}

async function ask(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`the worker answers ${response.status}`);
  return response.json();
}

/** Adds a live reading if it is newer than all others, and lets go of what is before `from`. Tells if it did. */
export function carryOn(record, reading, from) {
  const [value, at, flag, test] = reading;
  const { readings } = record;
  if (at === null || at <= record.seen) return false;
  record.seen = at;
  record.last = value;
  if (record.width) takeIn(readings, record.width, reading);
  else readings.push({ t: at, value, flag, test });
  let gone = 0;
  while (gone < readings.length && readings[gone].t < from) gone++;
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
