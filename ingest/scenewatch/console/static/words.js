/** Numbers, spans and states in the reader's words. Does live what `wording.py` does for the first look. */

const SIZES = {
  en: [[86400, " d"], [3600, " h"], [60, " min"], [1, " s"]],
  zh: [[86400, "天"], [3600, "小时"], [60, "分钟"], [1, "秒"]],
};
const CALM_FROM_S = 600;
export const NOTHING = "–";

let about = { language: "en", texts: {}, signs: {}, types: {} };

/** Takes the catalogue the server put into the page. */
export function readAbout() {
  about = JSON.parse(document.getElementById("about-data").textContent);
}

export function language() {
  return about.language;
}

export function t(key, parts = {}) {
  const text = about.texts[key];
  if (text === undefined) throw new Error(`no text ${key}`);
  return text.replace(/\{(\w+)\}/g, (_, name) => parts[name]);
}

export function has(key) {
  return key in about.texts;
}

export function sign(state) {
  return about.signs[state] ?? "?";
}

/** The table of one channel: unit, decimals, states. */
export function channel(type, key) {
  return about.types[type]?.[key];
}

export function number(value, places) {
  const text = value.toFixed(places);
  return text.replace("-", Number(text) === 0 ? "" : "−");
}

export function valueText(about, value) {
  if (value === null || value === undefined) return NOTHING;
  const state = about.states.find(([at]) => at === value);
  return state ? state[1] : number(value, about.decimals);
}

export function withUnit(about, value) {
  const text = valueText(about, value);
  return about.unit && text !== NOTHING ? `${text} ${about.unit}` : text;
}

export function spanText(ms) {
  const sizes = SIZES[about.language];
  let left = Math.max(0, Math.floor(ms / 1000));
  if (left >= CALM_FROM_S) left -= left % 60;
  const parts = [];
  for (const [size, name] of sizes) {
    if (left >= size && parts.length < 2) {
      parts.push(`${Math.floor(left / size)}${name}`);
      left %= size;
    } else if (parts.length) break;
  }
  return parts.join(about.language === "en" ? " " : "") || `0${sizes[3][1]}`;
}

/** Why a reading is not simply good; empty when it is. */
export function quality(flag, test) {
  const why = has(`test.${test}`) ? t(`test.${test}`) : "";
  if (flag === "good") return why;
  const word = has(`flag.${flag}`) ? t(`flag.${flag}`) : flag;
  return why ? `${word}: ${why}` : word;
}

export function count(value) {
  return new Intl.NumberFormat(about.language).format(value);
}
