/** Says in which time zone times are shown, and what time it is at a site that lives in another. */

import { now } from "./live.js";
import { language, t } from "./words.js";

const EACH_MS = 10_000;
let timer = 0;

export function showZones() {
  timer ||= setInterval(showZones, EACH_MS);
  for (const place of document.querySelectorAll("[data-zone]")) {
    const text = sentence(place.dataset.zone);
    if (place.textContent !== text) place.textContent = text;
  }
}

function sentence(site) {
  const at = new Date(now());
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const zone = `${own} (${offset(at, own)})`;
  if (!site || offset(at, site) === offset(at, own)) return t("zone", { zone });
  const show = (options) => new Intl.DateTimeFormat(language(), { timeZone: site, ...options }).format(at);
  const time = show({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const day = show({ weekday: "short", day: "numeric", month: "short" });
  return t("zone.local", { zone, time, day, site: `${site}, ${offset(at, site)}` });
}

/** Such as UTC+8. */
function offset(at, timeZone) {
  const parts = new Intl.DateTimeFormat("en", { timeZone, timeZoneName: "shortOffset" }).formatToParts(at);
  return parts.find(({ type }) => type === "timeZoneName").value.replace("GMT", "UTC");
}
