/** A long span as few windows, each with the lowest, the mean and the highest of its readings. Pure: data in, data out. */

const TRANSPARENT = 0.25;

/** A window of the worker's answer; its mean takes the place of a reading's value. */
export function windowOf({ t, low, high, mean, count, flag }) {
  return { t, low, high, value: mean, count, flag, test: "none" };
}

/** Puts a live reading into the newest window, or begins the next one with it. */
export function takeIn(windows, width, [value, at, flag]) {
  const last = windows.at(-1);
  if (!last || at >= last.t + width) {
    const t = last ? last.t + Math.floor((at - last.t) / width) * width : at;
    windows.push({ t, low: value, high: value, value: flag === "fail" ? null : value, count: 1, flag, test: "none" });
    return;
  }
  last.low = Math.min(last.low, value);
  last.high = Math.max(last.high, value);
  if (flag !== "fail") last.value = last.value === null ? value : (last.value * last.count + value) / (last.count + 1);
  last.count += 1;
  if (flag !== "good" && last.flag !== "fail") last.flag = flag;
}

/** Lowest and highest value of a reading or window that can be believed: of a window with failed ones the mean. */
export function believed({ value, low = value, high = value, flag }) {
  return flag === "fail" ? [value, value] : [low, high];
}

/** The value farthest from the mean: what made a window stand out. */
export function farthest({ value, low = value, high = value }) {
  return value !== null && value - low > high - value ? low : high;
}

/** The band from low to high. Its edges are stroked: a peak of one sample is hardly seen in the fill alone. */
export function band(windows, gap, colour) {
  const edge = {
    type: "line",
    stack: "band",
    stackStrategy: "all",
    symbol: "none",
    silent: true,
    lineStyle: { width: 1, color: colour("series"), opacity: 0.8 },
    itemStyle: { color: colour("series") },
    z: 1,
  };
  const low = [];
  const height = [];
  let before = null;
  for (const one of windows) {
    if (before !== null && one.t - before > gap) for (const edge of [low, height]) edge.push([before + 1, null]);
    low.push([one.t, one.low]);
    height.push([one.t, one.high - one.low]);
    before = one.t;
  }
  return [
    { ...edge, id: "low", data: low },
    { ...edge, id: "height", data: height, areaStyle: { color: colour("series"), opacity: TRANSPARENT } },
  ];
}
