/** The operators' page: the part after # names the panel, and what it shows. */
import { h } from "../shared/dom.js";
import { schemeSwitch } from "../shared/scheme.js";
import { badges } from "./badges.js";
import { actions } from "./actions.js";
import { boards } from "./boards.js";
import { campaigns } from "./campaigns.js";
import { integrity } from "./integrity.js";
import { jobs } from "./jobs.js";
import { overview } from "./overview.js";
import { people } from "./people.js";
import { periods } from "./periods.js";
import { person } from "./person.js";
import { actorField, showIn } from "./ui.js";

/** A part's title and what makes its panel; `make` gets what the address says after the part. */
const PARTS = {
  overview: { title: "Overview", make: overview },
  people: { title: "People", make: (id) => (id ? person(id) : people()) },
  boards: { title: "Boards", make: boards },
  periods: { title: "Periods", make: periods },
  actions: { title: "Actions", make: actions },
  campaigns: { title: "Campaigns", make: campaigns },
  badges: { title: "Badges", make: badges },
  jobs: { title: "Jobs", make: jobs },
  integrity: { title: "Integrity", make: integrity },
};

function open() {
  const [name, ...rest] = location.hash.slice(1).split("/").map(decodeURIComponent);
  const part = Object.hasOwn(PARTS, name) ? name : "overview";
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash !== `#${part}`) { link.removeAttribute("aria-current"); continue; }
    link.setAttribute("aria-current", "page");
    link.scrollIntoView({ block: "nearest", inline: "center" });
  }
  document.title = `${PARTS[part].title} \u00b7 Laurel`;
  showIn(document.getElementById("panel"), () => PARTS[part].make(rest.join("/")));
}

document.getElementById("parts").append(...Object.entries(PARTS).map(([name, { title }]) => h("li", {}, h("a", { href: `#${name}` }, title))));
schemeSwitch(document.getElementById("scheme"));
actorField(document.getElementById("actor"));
addEventListener("hashchange", () => {
  open();
  document.getElementById("panel").focus({ preventScroll: true });
  scrollTo(0, 0);
});
open();
