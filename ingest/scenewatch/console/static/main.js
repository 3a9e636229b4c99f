/** Makes the page live. It was readable before: everything here changes what the server already rendered. */

import { index, keepLive } from "./cells.js";
import { watchChart, showChart } from "./chart.js";
import { watchConnection } from "./connection.js";
import { connect, listen } from "./live.js";
import { choose, chosen, onParts, want } from "./parts.js";
import { watchTheme } from "./theme.js";
import { language, readAbout } from "./words.js";

const NARROW = matchMedia("(max-width: 899px)");

readAbout();
index();
watchTheme();
keepLive();
watchConnection();
watchChart();
onParts(() => {
  readAbout();
  index();
  showChart();
});
listen("edition", want);
listen("said", (alarms) => {
  document.getElementById("announce").textContent = alarms.map((said) => said[language()]).join(". ");
});
document.addEventListener("click", follow);
connect();

/** A link that only chooses something else changes the page in place, and the address with it. */
async function follow(event) {
  const link = event.target.closest("a[data-choose]");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  // The link was rendered earlier: only what it is about counts, the rest is as chosen now.
  const about = link.closest("nav.spans") ? ["span"] : link.closest("nav.sites") ? ["site"] : ["device", "channel"];
  const asked = new URL(link.href).searchParams;
  const leadsToDetail = about.includes("device") && !link.closest("#detail");
  await choose(Object.fromEntries(about.map((key) => [key, asked.get(key) ?? ""])));
  const address = new URL(location.href);
  for (const key of ["site", "device", "channel", "span"]) address.searchParams.set(key, chosen()[key]);
  history.replaceState(null, "", address);
  if (leadsToDetail && NARROW.matches) {
    document.getElementById("detail").scrollIntoView({ block: "start" });
    document.getElementById("detail-title").focus({ preventScroll: true });
  }
}
