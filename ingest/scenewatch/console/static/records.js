/**
 * The pages of record: the frame is live as everywhere. Accounts follow the worker's ledger; dead letters, which
 * somebody may be reading, stay as they are, and a link says when there are new ones.
 */

import { index, keepLive } from "./cells.js";
import { watchConnection } from "./connection.js";
import { connect, listen } from "./live.js";
import { morph } from "./morph.js";
import { watchTheme } from "./theme.js";
import { readAbout } from "./words.js";

const AT_MOST_EACH_MS = 1000;

const record = document.getElementById("record");
let timer = 0;
let seen = "";

readAbout();
index();
watchTheme();
keepLive();
watchConnection();
listen("ledger", (ledger) => {
  const columns = ["received", "stored", "duplicate", "dead", "pending"].map((name) => ledger[name]).join();
  if (record.dataset.follows && columns !== seen) later();
  seen = columns;
  for (const link of document.querySelectorAll("[data-dead]")) link.hidden = Number(link.dataset.dead) >= ledger.dead;
});
connect("");

function later() {
  timer ||= setTimeout(refresh, AT_MOST_EACH_MS);
}

async function refresh() {
  timer = 0;
  const address = new URL(location.href);
  address.searchParams.set("part", "1");
  try {
    const response = await fetch(address);
    if (!response.ok) throw new Error(`the console answers ${response.status}`);
    morph(record, await response.text());
  } catch {
    // The connection's state is shown already; this comes when the server is back.
    later();
    return;
  }
  if (record.dataset.follows === "worker") delete record.dataset.follows;
  index();
}
