/** The page of a device, live: values move where they stand, its chart is carried on, its part fetched again. */

import { go } from "./address.js";
import { showChart, watchChart } from "./chart.js";
import { onDone } from "./forms.js";
import { again, begin } from "./frame.js";
import "./hold.js";
import { connect } from "./live.js";
import { keepPart } from "./parts.js";
import { watchZoom } from "./zoom.js";

begin();
watchChart();
const refresh = keepPart(() => {
  again();
  showChart();
});
onDone(() => refresh());
watchZoom();
document.addEventListener("click", choose);
connect(document.getElementById("part").dataset.scope);

/** A link that only chooses something else changes the page in place. */
function choose(event) {
  const link = event.target.closest("a[data-choose]");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const asked = new URL(link.href).searchParams;
  // The link was rendered earlier: only what it is about counts, the rest is as chosen now.
  const what = link.dataset.choose;
  if (what === "span") {
    go({ span: asked.get("span"), from: "", to: "" });
    showChart();
  } else {
    go({ [what]: asked.get(what) });
    refresh();
  }
}
