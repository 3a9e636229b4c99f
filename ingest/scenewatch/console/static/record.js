/** The readings of one channel over one span: fetched once, then carried on by what comes live. */

import { now } from "./live.js";

const LIMIT = 20000;

let turn = 0;

/**
 * Readings as `{t, value, flag, test}`, ascending; null when a newer question was asked meanwhile.
 * Throws when the console or its worker does not answer.
 */
export async function fetchRecord({ device, channel, span }) {
  const mine = ++turn;
  const to = Math.ceil(now()) + 1000;
  const query = new URLSearchParams({ device, channel, from: to - span, to, limit: LIMIT });
  const response = await fetch(`/api/v1/readings?${query}`);
  if (mine !== turn) return null;
  if (!response.ok) throw new Error(`the worker answers ${response.status}`);
  const answer = await response.json();
  return mine === turn ? { readings: answer.readings, truncated: answer.truncated } : null;
}

/** Adds a live reading if it is newer than all others, and lets go of what is out of the span. Tells if it did. */
export function carryOn(readings, [value, at, flag, test], span) {
  if (at === null || at <= (readings.at(-1)?.t ?? 0)) return false;
  readings.push({ t: at, value, flag, test });
  const old = now() - span;
  let gone = 0;
  while (gone < readings.length && readings[gone].t < old) gone++;
  readings.splice(0, gone);
  return true;
}

export function flagged(reading) {
  return reading.flag === "suspect" || reading.flag === "fail";
}

/** Points of the line: broken at gaps, and where a reading is not to be believed. */
export function linePoints(readings, every) {
  const points = [];
  let before = null;
  for (const { t, value, flag } of readings) {
    if (before !== null && t - before > 3 * every) points.push([before + 1, null]);
    points.push([t, flag === "fail" || flag === "missing" ? null : value]);
    before = t;
  }
  return points;
}

/** Lowest and highest value that can be believed; null when there is none. */
export function extent(readings) {
  let low = Infinity;
  let high = -Infinity;
  for (const { value, flag } of readings) {
    if (value === null || flag === "fail") continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low <= high ? [low, high] : null;
}
