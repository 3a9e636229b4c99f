/** Makes the frame of a working page live, as it is everywhere. A part that waits for the worker is asked for. */

import { index, keepLive } from "./cells.js";
import { watchConnection } from "./connection.js";
import { connect, listen } from "./live.js";
import { later, record } from "./part.js";
import { watchTheme } from "./theme.js";
import { language, readAbout } from "./words.js";

readAbout();
index();
watchTheme();
keepLive();
watchConnection();
listen("said", (alarms) => {
  document.getElementById("announce").textContent = alarms.map((said) => said[language()]).join(". ");
});
listen("health", ({ live }) => {
  if (live && record?.dataset.follows === "worker") later();
});
connect();
