/** Says at once whether what is shown is live, and how old it is. */

import { mark } from "./cells.js";
import { listen, newestAt, now } from "./live.js";
import { spanText, t } from "./words.js";

let health = { open: false, live: false, readiness: null };
let source = "connected";
let everOpen = false;

export function watchConnection() {
  listen("health", (said) => {
    health = { ...health, ...said };
    everOpen ||= health.open;
    show();
  });
  listen("ledger", (ledger) => {
    source = ledger.source.state;
    show();
  });
  setInterval(show, 1000);
}

function state() {
  if (!health.open) return everOpen ? "lost" : "connecting";
  if (!health.readiness) return "worker";
  if (!health.readiness.ready && health.readiness.history) return "starting";
  if (!health.live) return "worker";
  if (source === "lost") return "broker";
  return health.readiness.ready ? "live" : "starting";
}

const SIGNS = { live: "normal", lost: "lost", worker: "lost", broker: "lost", connecting: "starting", starting: "starting" };

function show() {
  const place = document.getElementById("connection");
  const is = state();
  mark(place, SIGNS[is], t(`connection.${is}`));
  place.dataset.state = is;
  document.documentElement.dataset.connection = is;
  const history = is === "starting" ? health.readiness?.history : null;
  const percent = history ? Math.min(100, Math.floor((100 * history.done) / (history.of || 1))) : 0;
  place.querySelector(".age").textContent = history ? `${t("history")} ${percent} %` : age();
  const bar = document.getElementById("history");
  bar.hidden = !history;
  bar.value = percent;
}

function age() {
  const at = newestAt();
  return at ? t("data_age", { age: spanText(now() - at) }) : t("no_data_yet");
}
