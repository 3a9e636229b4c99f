/** The overview, live: rows of sites that changed are fetched, put in order, and fit what is looked for. */

import { replace } from "./address.js";
import { again, begin } from "./frame.js";
import { connect, listen } from "./live.js";
import { rowsOf } from "./morph.js";
import { count, t } from "./words.js";

const GATHER_MS = 250;
const AGAIN_MS = 2000;

const list = document.getElementById("places");
const search = document.getElementById("q");
let edition = document.documentElement.dataset.edition;
let timer = 0;
let isOrderOld = false;
let wanted = new URL(location.href).searchParams.get("state") ?? "";

begin();
listen("edition", (newest) => {
  if (newest !== edition) timer ||= setTimeout(refresh, GATHER_MS);
});
search.addEventListener("input", look);
search.form.addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("click", choose);
document.addEventListener("keydown", shortcut);
for (const leave of ["pointerleave", "focusout"]) list.addEventListener(leave, () => setTimeout(settle));
connect("");

async function refresh() {
  const query = new URLSearchParams(location.search);
  query.set("since", edition);
  let answer;
  try {
    const response = await fetch(`/rows?${query}`);
    if (!response.ok) throw new Error(`the console answers ${response.status}`);
    answer = await response.json();
  } catch {
    // The connection's state is shown already; the rows come when the server is back.
    timer = setTimeout(refresh, AGAIN_MS);
    return;
  }
  timer = 0;
  edition = answer.edition;
  rowsOf(list, answer.html, answer.whole);
  list.classList.toggle("dense", list.children.length >= Number(list.dataset.denseFrom));
  isOrderOld = true;
  settle();
  look();
  again();
}

/** Puts rows in order of urgency, but never under the hand of somebody who uses the list. */
function settle() {
  if (!isOrderOld || list.matches(":hover") || list.contains(document.activeElement)) return;
  isOrderOld = false;
  const rows = [...list.children].sort((a, b) => (a.dataset.order < b.dataset.order ? -1 : 1));
  let at = list.firstElementChild;
  for (const row of rows) {
    if (row === at) at = at.nextElementSibling;
    else list.insertBefore(row, at);
  }
}

/** Shows the rows that fit the search and the state. */
function look() {
  const words = search.value.trim().toLowerCase();
  let shown = 0;
  for (const row of list.children) {
    const fits = (!wanted || row.dataset.state === wanted) && (!words || row.textContent.toLowerCase().includes(words));
    if (row.hidden === fits) row.hidden = !fits;
    shown += fits;
  }
  const all = list.children.length;
  const text = t("overview.shown", { n: count(shown), all: count(all) });
  document.getElementById("shown").textContent = text;
  document.getElementById("none-fit").hidden = shown > 0 || all === 0;
  document.getElementById("empty").hidden = all > 0;
  replace({ q: search.value.trim(), state: wanted });
}

function choose(event) {
  const link = event.target.closest("[data-state-filter]");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  wanted = link.dataset.stateFilter;
  for (const one of document.querySelectorAll("[data-state-filter]")) {
    if (one === link) one.setAttribute("aria-current", "true");
    else one.removeAttribute("aria-current");
  }
  look();
}

function shortcut(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/" && !event.target.closest("input, textarea, select")) {
    event.preventDefault();
    search.select();
  } else if (event.key === "Escape" && event.target === search) {
    search.value = "";
    look();
  }
}
