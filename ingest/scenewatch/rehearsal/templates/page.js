"use strict";
const root = document.documentElement;

function press(buttons, name, value) {
  for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset[name] === value));
}

const languages = document.querySelectorAll("[data-set-lang]");
function speak(tag) {
  root.dataset.lang = root.lang = tag;
  press(languages, "setLang", tag);
  for (const option of document.querySelectorAll("option[data-en]")) option.textContent = option.getAttribute(`data-${tag}`);
}
for (const button of languages) button.addEventListener("click", () => speak(button.dataset.setLang));
speak(navigator.language.startsWith("zh") ? "zh-CN" : "en");

const themes = document.querySelectorAll("[data-set-theme]");
for (const button of themes) {
  button.addEventListener("click", () => {
    root.dataset.theme = button.dataset.setTheme;
    press(themes, "setTheme", button.dataset.setTheme);
  });
}

/** A number where the cell tells one, else its words in the language that is shown. */
function valueOf(row, column) {
  const cell = row.cells[column];
  return cell.dataset.v === undefined ? cell.innerText.trim() : Number(cell.dataset.v);
}

function sort(table, column, head) {
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const keyed = [...table.tBodies[0].rows].map((row) => [valueOf(row, column), row]);
  const order = ([a], [b]) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));
  keyed.sort((a, b) => (down ? -1 : 1) * order(a, b));
  table.tBodies[0].append(...keyed.map(([, row]) => row));
}
for (const table of document.querySelectorAll("table.sortable")) {
  for (const [column, head] of [...table.tHead.rows[0].cells].entries()) {
    head.querySelector(".sort")?.addEventListener("click", () => sort(table, column, head));
  }
}

function filter(section) {
  const is = section.querySelector(".only").value;
  const words = section.querySelector(".find").value.trim().toLowerCase();
  const rows = [...section.querySelector("table").tBodies[0].rows];
  for (const row of rows) {
    row.hidden = Boolean((is && row.dataset.is !== is) || (words && !row.textContent.toLowerCase().includes(words)));
  }
  section.querySelector(".shown").textContent = `${rows.filter((row) => !row.hidden).length} / ${rows.length}`;
}
for (const tools of document.querySelectorAll(".tools")) {
  tools.addEventListener("input", () => filter(tools.closest("section")));
  filter(tools.closest("section"));
}
