/** Dialogs that keep alarms from being shown: opened by links with `data-hold`, which lead to a page without this. */

import { onDone } from "./forms.js";

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-hold]");
  if (link && !event.button && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    const dialog = document.querySelector(`dialog[data-deed-of="${link.dataset.hold}"]`);
    if (!dialog) return;
    event.preventDefault();
    ask(dialog, link.dataset);
  }
  const close = event.target.closest("dialog.hold [data-close]");
  if (close) close.closest("dialog").close();
});
onDone(({ done }, form) => {
  if (done) form.closest("dialog.hold")?.close();
});

function ask(dialog, { rule = "", target, title = "", where }) {
  const form = dialog.querySelector("form");
  form.reset();
  form.elements.rule.value = rule;
  form.elements.target.value = target;
  const words = { title, where };
  for (const place of dialog.querySelectorAll("[data-put]")) place.textContent = words[place.dataset.put];
  dialog.showModal();
  form.elements.reason.focus();
}
