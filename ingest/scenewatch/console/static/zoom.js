/** Looking closer or elsewhere: by dragging over the chart, by buttons, by keys. The address says what is shown. */

import { go } from "./address.js";
import { showChart, shownSpan, timeAt } from "./chart.js";
import { now } from "./live.js";

const SHORTEST_MS = 60_000;
const LONGEST_MS = 20 * 365 * 86_400_000;
const STEP = 0.25;
const DRAG_PX = 6;
const KEYS = { ArrowLeft: "earlier", ArrowRight: "later", "+": "in", "=": "in", "-": "out", "−": "out", Home: "now" };

let drag = null;

export function watchZoom() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-zoom]");
    if (button) move(button.dataset.zoom);
  });
  document.addEventListener("keydown", (event) => {
    const how = KEYS[event.key];
    if (!how || event.ctrlKey || event.metaKey || event.altKey || !event.target.closest(".plot, .zoom")) return;
    event.preventDefault();
    move(how);
  });
  document.addEventListener("pointerdown", begin);
  document.addEventListener("pointermove", widen);
  document.addEventListener("pointerup", end);
  document.addEventListener("pointercancel", forget);
}

function move(how) {
  const [from, to] = shownSpan();
  const span = to - from;
  const middle = (from + to) / 2;
  switch (how) {
    case "earlier":
      return show(from - span * STEP, to - span * STEP);
    case "later":
      return show(from + span * STEP, to + span * STEP);
    case "in":
      return show(middle - span / 4, middle + span / 4);
    case "out":
      return show(middle - span, middle + span);
    default:
      go({ from: "", to: "" });
      return showChart();
  }
}

/** What would end after now is moved back to end there. */
function show(from, to) {
  const span = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, to - from));
  const end = Math.min((from + to) / 2 + span / 2, Math.ceil(now()));
  go({ from: String(Math.max(1, Math.floor(end - span))), to: String(Math.ceil(end)) });
  showChart();
}

function begin(event) {
  const plot = event.target.closest(".plot");
  if (!plot || event.button || !event.isPrimary) return;
  drag = { plot, box: plot.getBoundingClientRect(), from: event.clientX, to: event.clientX };
}

function widen(event) {
  if (!drag) return;
  drag.to = Math.min(drag.box.right, Math.max(drag.box.left, event.clientX));
  const shade = drag.plot.querySelector(".drag");
  shade.hidden = Math.abs(drag.to - drag.from) < DRAG_PX;
  shade.style.left = `${Math.min(drag.from, drag.to) - drag.box.left}px`;
  shade.style.width = `${Math.abs(drag.to - drag.from)}px`;
}

function end() {
  if (!drag) return;
  const { box } = drag;
  const [left, right] = [drag.from, drag.to].sort((a, b) => a - b).map((x) => timeAt(x - box.left));
  const isLong = Math.abs(drag.to - drag.from) >= DRAG_PX;
  forget();
  if (isLong && left !== null) show(Math.max(left, shownSpan()[0]), Math.min(right, shownSpan()[1]));
}

function forget() {
  if (drag) drag.plot.querySelector(".drag").hidden = true;
  drag = null;
}
