/** Unknown devices: somebody may be filling in a form, so others that come are told by a link alone. */

import "./desk.js";
import { onDone } from "./forms.js";
import { listen } from "./live.js";
import { record, refresh } from "./part.js";

let shown = null;

listen("states", ({ totals }) => {
  shown ??= totals.unknown;
  document.getElementById("fresh").hidden = totals.unknown <= shown || record.dataset.follows === "worker";
  shown = Math.min(shown, totals.unknown);
});
onDone(({ done }) => {
  if (done) refresh();
});
