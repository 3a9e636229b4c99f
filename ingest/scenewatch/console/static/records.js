/**
 * The pages of record: the frame is live as everywhere. Accounts follow the worker's ledger; dead letters, which
 * somebody may be reading, stay as they are, and a link says when there are new ones.
 */

import "./desk.js";
import { listen } from "./live.js";
import { later, record } from "./part.js";

let seen = "";

listen("ledger", (ledger) => {
  const columns = ["received", "stored", "duplicate", "dead", "pending"].map((name) => ledger[name]).join();
  if (record.dataset.follows && columns !== seen) later();
  seen = columns;
  for (const link of document.querySelectorAll("[data-dead]")) link.hidden = Number(link.dataset.dead) >= ledger.dead;
});
