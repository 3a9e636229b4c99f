/** The panel of commands on any page: asks before it sends, and follows what becomes of each. */

import { index } from "./cells.js";
import { onDone } from "./forms.js";
import { listen, now } from "./live.js";
import { morph } from "./morph.js";
import { spanText, t } from "./words.js";

const AGAIN_MS = 2000;

let turn = 0;
let wasLive = false;

document.addEventListener("click", (event) => {
  const order = event.target.closest("a[data-order]");
  if (order && !event.button && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    ask(order);
  }
  if (event.target.closest("#confirm [data-close]")) document.getElementById("confirm").close();
});
onDone(({ done }, form) => {
  if (form.closest("#confirm")) form.closest("#confirm").close();
  if (done) show();
});
listen("commands", (commands) => {
  const device = document.getElementById("commands")?.dataset.device;
  if (commands.some((command) => command.device === device)) show();
});
listen("health", ({ live }) => {
  if (live && !wasLive) show();
  wasLive = Boolean(live);
});
setInterval(tick, 1000);

function ask(order) {
  const dialog = document.getElementById("confirm");
  dialog.querySelector('[name="name"]').value = order.dataset.order;
  for (const place of dialog.querySelectorAll("[data-put]")) place.textContent = order.dataset[place.dataset.put];
  dialog.showModal();
}

/** The list as the server renders it. Answers are numbered: a late one is let go. */
async function show() {
  const device = document.getElementById("commands")?.dataset.device;
  if (!device) return;
  const mine = ++turn;
  const lang = document.documentElement.lang.slice(0, 2);
  try {
    const response = await fetch(`/commands?${new URLSearchParams({ device, lang, part: "1" })}`);
    if (!response.ok) throw new Error(`the console answers ${response.status}`);
    const html = await response.text();
    if (mine !== turn || document.getElementById("commands")?.dataset.device !== device) return;
    morph(document.getElementById("commands-sent"), html);
    index();
    tick();
  } catch {
    // The connection's state is shown already; this comes when the server is back.
    if (mine === turn) setTimeout(show, AGAIN_MS);
  }
}

function tick() {
  for (const left of document.querySelectorAll("[data-until]")) {
    left.textContent = t("commands.left", { span: spanText(Number(left.dataset.until) - now()) });
  }
}
