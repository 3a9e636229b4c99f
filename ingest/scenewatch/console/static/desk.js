/** Makes the frame of a working page live, as it is everywhere. A part that waits for the worker is asked for. */

import { begin } from "./frame.js";
import { connect, listen } from "./live.js";
import { later, record } from "./part.js";

begin();
listen("health", ({ live }) => {
  if (live && record?.dataset.follows === "worker") later();
});
connect("");
