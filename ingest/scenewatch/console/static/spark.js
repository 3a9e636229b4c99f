/** A small line of the last hours beside a device's main value; of windows, so that it costs the worker little. */

import { now } from "./live.js";

const SPAN_MS = 6 * 3_600_000;
const EACH_MS = 300_000;
const POINTS = 60;
const [WIDTH, HEIGHT, EDGE] = [120, 24, 2];
const AT_ONCE = 3;

let timer = 0;

/** Fills those that are empty, and all of them again after a while. */
export async function drawSparks() {
  clearTimeout(timer);
  timer = setTimeout(() => {
    for (const spark of document.querySelectorAll(".spark")) spark.replaceChildren();
    drawSparks();
  }, EACH_MS);
  const empty = [...document.querySelectorAll(".spark:empty")];
  await Promise.all(Array.from({ length: AT_ONCE }, () => drawFrom(empty)));
}

async function drawFrom(waiting) {
  for (let spark = waiting.shift(); spark; spark = waiting.shift()) {
    const to = Math.ceil(now());
    const query = new URLSearchParams({ series: spark.dataset.series, from: to - SPAN_MS, to, points: POINTS });
    try {
      const answer = await fetch(`/api/v1/chart?${query}`);
      if (answer.ok) draw(spark, (await answer.json()).windows, to - SPAN_MS);
    } catch {
      // The line is an extra; that the console is away is shown already, and the next round tries again.
      return;
    }
  }
}

function draw(spark, windows, from) {
  const known = windows.filter(({ mean }) => mean !== null);
  const low = Math.min(...known.map((one) => one.low));
  const high = Math.max(...known.map((one) => one.high));
  const x = (t) => (((t - from) / SPAN_MS) * WIDTH).toFixed(1);
  const y = (value) => (high > low ? HEIGHT - EDGE - ((value - low) / (high - low)) * (HEIGHT - 2 * EDGE) : HEIGHT / 2).toFixed(1);
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  const there = known.map((one) => `${x(one.t)} ${y(one.high)}`);
  const back = known.map((one) => `${x(one.t)} ${y(one.low)}`).reverse();
  path.setAttribute("d", known.length > 1 ? `M${[...there, ...back].join("L")}Z` : "");
  spark.replaceChildren(path);
}
