/** Forms that change something (`data-deed`) are sent without leaving the page; what the worker says is shown. */

import { t } from "./words.js";

const SHOWN_MS = 10000;

const followers = [];
let timer = 0;

/** `done(answer, form)` is called when the worker has answered, whatever it said. */
export function onDone(done) {
  followers.push(done);
}

/** Sends a form as its button would; once at a time. */
export async function send(form, button) {
  if (form.dataset.busy) return;
  form.dataset.busy = "yes";
  const fields = new URLSearchParams(new FormData(form, button));
  fields.set("next", location.pathname + location.search);
  let answer;
  try {
    const action = button?.hasAttribute("formaction") ? button.formAction : form.action;
    const response = await fetch(action, { method: "POST", headers: { accept: "application/json" }, body: fields });
    answer = await response.json();
  } catch {
    answer = { done: false, said: t("deed.failed", { why: t("connection.lost") }) };
  } finally {
    delete form.dataset.busy;
  }
  if (answer.to) {
    location.assign(answer.to);
    return;
  }
  say({ done: false, ...answer, said: answer.said ?? t("deed.failed", { why: answer.detail }) });
  for (const done of followers) done(answer, form);
}

function say({ done, said, chart }) {
  const place = document.getElementById("told");
  place.textContent = said;
  place.dataset.done = done ? "yes" : "no";
  if (chart) {
    const link = document.createElement("a");
    link.href = chart;
    link.textContent = t("unknown.chart");
    place.append(" ", link);
  }
  place.hidden = false;
  clearTimeout(timer);
  // With a link it stays: nobody should have to hurry.
  if (!chart) timer = setTimeout(() => (place.hidden = true), SHOWN_MS);
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-deed]");
  if (!form) return;
  event.preventDefault();
  send(form, event.submitter);
});
