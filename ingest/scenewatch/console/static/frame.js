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
  listen("said", (alarms) => {
    document.getElementById("announce").textContent = alarms.map((said) => said[language()]).join(". ");
  });
}

/** After a part of the page was put in place. */
export function again() {
  index();
  showZones();
}
