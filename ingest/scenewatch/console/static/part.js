/** The changing part of a page of record: asked for again, at most once a second, and put in its place. */

import { index } from "./cells.js";
import { morph } from "./morph.js";

const AT_MOST_EACH_MS = 1000;

export const record = document.getElementById("record");
let timer = 0;
let turn = 0;
let place = (html) => morph(record, html);

/** `put(html)` is how the new part comes into the page, if not as a whole. */
export function placeBy(put) {
  place = put;
}

export function later() {
  timer ||= setTimeout(refresh, AT_MOST_EACH_MS);
}

/** `whole` puts the part in place as it is, whoever reads. Answers are numbered: a late one is let go. */
export async function refresh({ whole = false } = {}) {
  clearTimeout(timer);
  timer = 0;
  const mine = ++turn;
  const address = new URL(location.href);
  address.searchParams.set("part", "1");
  let html;
  try {
    const response = await fetch(address);
    if (!response.ok) throw new Error(`the console answers ${response.status}`);
    html = await response.text();
  } catch {
    // The connection's state is shown already; this comes when the server is back.
    later();
    return;
  }
  if (mine !== turn) return;
  if (whole) morph(record, html);
  else place(html);
  if (record.dataset.follows === "worker") delete record.dataset.follows;
  index();
}
