/** Fetches parts of the page again and puts them in their place. Answers are numbered: a late one is let go. */

import { morph } from "./morph.js";

const GATHER_MS = 150;
const AGAIN_MS = 2000;
const ALL = ["alarms", "places", "detail", "about"];

let turn = 0;
let timer = 0;
let edition = document.documentElement.dataset.edition;
let choice = readChoice();
let afterwards = () => {};

/** What is shown, as the server resolved it. */
export function chosen() {
  return choice;
}

/** `done` is called whenever parts were put in place. */
export function onParts(done) {
  afterwards = done;
}

/** Fetches everything again if the server has another edition than the page shows; changes close together once. */
export function want(newEdition) {
  if (newEdition === edition) return;
  clearTimeout(timer);
  timer = setTimeout(() => fetchParts(choice), GATHER_MS);
}

/** Shows what another address chooses, keeping what that address does not mention. */
export async function choose(changes) {
  clearTimeout(timer);
  await fetchParts({ ...choice, ...changes });
}

async function fetchParts(query) {
  const mine = ++turn;
  choice = query;
  const address = new URLSearchParams({ ...query });
  for (const name of ALL) address.append("want", name);
  let answer;
  try {
    const response = await fetch(`/parts?${address}`);
    if (!response.ok) throw new Error(`the console answers ${response.status}`);
    answer = await response.json();
  } catch {
    // The connection's state is shown already; the parts come when the server is back.
    if (mine === turn) timer = setTimeout(() => fetchParts(choice), AGAIN_MS);
    return;
  }
  if (mine !== turn) return;
  edition = answer.edition;
  for (const [name, html] of Object.entries(answer.parts)) {
    morph(document.querySelector(`[data-part-of="${name}"]`), html);
  }
  choice = readChoice();
  afterwards();
}

function readChoice() {
  return JSON.parse(document.getElementById("choice").textContent);
}
