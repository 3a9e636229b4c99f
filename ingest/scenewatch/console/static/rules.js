/** The rules: how often each raised follows the alarms. */

import "./desk.js";
import { listen } from "./live.js";
import { later } from "./part.js";

let edition = document.documentElement.dataset.edition;

listen("edition", (now) => {
  if (now !== edition) later();
  edition = now;
});
