/** The page of one alarm: its chart is that of a device, and `a` acknowledges it. */

import "./device.js";
import { send } from "./forms.js";

document.addEventListener("keydown", (event) => {
  if (event.key !== "a" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, select, textarea, dialog[open]")) return;
  const form = document.getElementById("acknowledge");
  if (!form) return;
  event.preventDefault();
  send(form, form.querySelector("button"));
});
