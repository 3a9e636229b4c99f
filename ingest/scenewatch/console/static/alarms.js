/**
 * The list of alarms: live, found by filters, worked through by keyboard. While somebody points at it, has focus in
 * it or has chosen from it, rows change where they stand, none comes or goes, and a link tells how many are new.
 */

import "./desk.js";
import { onDone, send } from "./forms.js";
import "./hold.js";
import { listen } from "./live.js";
import { morph } from "./morph.js";
import { later, placeBy, record, refresh } from "./part.js";
import { t } from "./words.js";

const TYPING_MS = 300;

const filters = document.getElementById("filters");
const keys = document.getElementById("keys");
let edition = document.documentElement.dataset.edition;
let typing = 0;

placeBy(place);
dress();
listen("edition", (now) => {
  if (now !== edition) later();
  edition = now;
});
onDone(() => {
  for (const box of boxes()) box.checked = false;
  refresh();
});
filters.addEventListener("input", (event) => {
  clearTimeout(typing);
  typing = setTimeout(find, event.target.type === "search" ? TYPING_MS : 0);
});
filters.addEventListener("submit", (event) => {
  event.preventDefault();
  find();
});
document.addEventListener("keydown", press);
record.addEventListener("click", click);
record.addEventListener("change", ({ target }) => {
  if (target.id === "all") for (const box of boxes()) box.checked = target.checked && !box.disabled;
});

/** What only a script can do is shown once there is one. */
function dress() {
  for (const id of ["all", "help"]) document.getElementById(id)?.removeAttribute("hidden");
}

function lines() {
  return [...record.querySelectorAll(".line")];
}

function boxes() {
  return record.querySelectorAll('input[name="alarm"]');
}

/** The filters become the address, so that a link to what is shown is at hand. */
function find() {
  const address = new URL(location.href);
  for (const [name, value] of new FormData(filters)) {
    if (value) address.searchParams.set(name, value);
    else address.searchParams.delete(name);
  }
  address.searchParams.delete("before");
  history.replaceState(history.state, "", address);
  refresh({ whole: true }).then(dress);
}

function isBusy() {
  const list = document.getElementById("lines");
  if (!list) return false;
  return list.matches(":hover") || list.contains(document.activeElement) || [...boxes()].some((box) => box.checked);
}

function place(html) {
  if (isBusy()) change(html);
  else morph(record, html);
  dress();
}

function change(html) {
  const wanted = new DOMParser().parseFromString(html, "text/html");
  const next = new Map([...wanted.querySelectorAll(".line")].map((line) => [line.dataset.key, line]));
  for (const line of lines()) {
    const same = next.get(line.dataset.key);
    next.delete(line.dataset.key);
    line.classList.toggle("left", !same);
    if (same) morph(line, same.innerHTML);
    else line.querySelector(".gone").hidden = false;
  }
  const holds = document.getElementById("holds");
  morph(holds, wanted.getElementById(holds.id)?.innerHTML ?? "");
  const fresh = document.getElementById("fresh");
  fresh.hidden = next.size === 0;
  fresh.textContent = t("alarms.new", { n: next.size });
}

function click(event) {
  if (event.target.closest("#help")) keys.showModal();
  if (event.target.closest("#fresh") && !new URL(location.href).searchParams.has("before")) {
    event.preventDefault();
    refresh({ whole: true }).then(dress);
  }
}

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.target.closest("input:not([type=checkbox]), select, textarea")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const act = { j: () => move(1), k: () => move(-1), a: acknowledge, x: select, Enter: open, "/": search, r: renew, "?": help }[event.key];
  if (act && act(event) !== false) event.preventDefault();
}

function current() {
  return document.activeElement.closest?.(".line");
}

function move(by) {
  const all = lines().filter((line) => line.checkVisibility());
  const at = all.indexOf(current());
  const line = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by))];
  line?.focus();
  line?.scrollIntoView({ block: "nearest" });
}

/** All that are selected, or else the one with the focus. */
function acknowledge() {
  const list = document.getElementById("list");
  if (!list) return;
  const chosen = [...boxes()].some((box) => box.checked);
  const button = chosen ? list.querySelector(".list-head button") : current()?.querySelector('button[name="one"]');
  if (button) send(list, button);
}

function select() {
  const box = current()?.querySelector('input[name="alarm"]:not(:disabled)');
  if (box) box.checked = !box.checked;
}

/** Enter does what it always does on links and buttons. */
function open(event) {
  if (!event.target.matches(".line")) return false;
  event.target.querySelector(".chart-link").click();
  return true;
}

function search() {
  filters.elements.search.focus();
}

function renew() {
  refresh({ whole: true }).then(dress);
}

function help() {
  keys.showModal();
}
