/** Keeps the page's changing part up to date. Answers are numbered: a late one is let go. */

import { listen } from "./live.js";
import { morph } from "./morph.js";

const GATHER_MS = 150;
const AGAIN_MS = 2000;

let turn = 0;
let timer = 0;
let edition = document.documentElement.dataset.edition;

/** `done` is called whenever the part was put in place. Changes close together are fetched once. */
export function keepPart(done) {
  listen("edition", (newest) => {
    if (newest === edition) return;
    clearTimeout(timer);
    timer = setTimeout(() => fetchPart(done), GATHER_MS);
  });
  addEventListener("popstate", () => fetchPart(done));
  return () => fetchPart(done);
}

/** Of the address as it is now. */
async function fetchPart(done) {
  clearTimeout(timer);
  const mine = ++turn;
  const address = new URL(location.href);
  address.searchParams.set("part", "1");
  let answer;
  let html;
  try {
    answer = await fetch(address);
    if (answer.status >= 500) throw new Error(`the console answers ${answer.status}`);
    html = await answer.text();
  } catch {
    // The connection's state is shown already; the part comes when the server is back.
    if (mine === turn) timer = setTimeout(() => fetchPart(done), AGAIN_MS);
    return;
  }
  if (mine !== turn) return;
  edition = answer.headers.get("scenewatch-edition");
  morph(document.getElementById("part"), html);
  done();
}
