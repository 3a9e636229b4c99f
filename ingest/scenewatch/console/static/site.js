/** The page of a site, live: values move where they stand, its part is fetched again when the site changes. */

import { onDone } from "./forms.js";
import { again, begin } from "./frame.js";
import "./hold.js";
import { connect } from "./live.js";
import { keepPart } from "./parts.js";
import { drawSparks } from "./spark.js";

begin();
const refresh = keepPart(() => {
  again();
  drawSparks();
});
onDone(() => refresh());
connect(document.getElementById("part").dataset.scope);
drawSparks();
