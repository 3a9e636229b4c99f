/** What every page does before anything of its own: texts, theme, live cells, connection, new alarms said aloud. */

import { index, keepLive } from "./cells.js";
import { watchConnection } from "./connection.js";
import { listen } from "./live.js";
import { watchTheme } from "./theme.js";
import { language, readAbout } from "./words.js";
import { showZones } from "./zone.js";

export function begin() {
  readAbout();
  index();
  showZones();
  watchTheme();
  keepLive();
  watchConnection();
  keepBuild();
  listen("said", (alarms) => {
    document.getElementById("announce").textContent = alarms.map((said) => said[language()]).join(". ");
  });
}

/** A page made before the worker was known, or by another version of it, knows too little: it is loaded again. */
function keepBuild() {
  const { build } = document.documentElement.dataset;
  if (!build) return;
  listen("health", (health) => {
    // Once for each: behind one address may be two consoles, of which the page comes from one and what is live from the other.
    if (!health.live || health.build === build || health.build === history.state?.build || isInUse()) return;
    history.replaceState({ build: health.build }, "");
    location.reload();
  });
}

/** What was begun here would be lost. */
function isInUse() {
  return document.querySelector("dialog[open]") || document.activeElement?.matches("input, select, textarea");
}

/** After a part of the page was put in place. */
export function again() {
  index();
  showZones();
}
