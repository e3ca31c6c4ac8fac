/** Finding people. */
import { get } from "../shared/api.js";
import { face, h, tierChip } from "../shared/dom.js";
import { time, word } from "../shared/format.js";
import { editProfile } from "./profile.js";
import { button, chip, pagedTable, panel, showIn } from "./ui.js";

export async function people() {
  const list = h("div");
  const input = h("input", { class: "input", type: "search", placeholder: "An id, or country=GB tier=GOLD username=\"Ann*\"", "aria-label": "Filter", autocomplete: "off", spellcheck: "false" });
  const search = () => showIn(list, () => found(input.value.trim()));
  const form = h("form", { class: "filter", onsubmit: (event) => { event.preventDefault(); search(); } }, input, h("button", { class: "button" }, "Find"));
  search();
  return panel("People", { deeds: [button("New person", () => editProfile(null, ({ userId }) => { location.hash = `#people/${encodeURIComponent(userId)}`; }))] },
    form, h("p", { class: "hint" }, "Terms must all hold: ", h("code", {}, "user_id username email country region segment tier visibility"), "; a value that ends with * is a prefix."), list);
}

/** Returns the mark of who sees a person; nothing for everybody. */
export function visibilityChip(visibility) {
  const hidden = { VISIBILITY_HIDDEN: "bad", VISIBILITY_SHADOW: "warn" };
  return hidden[visibility] ? chip(word(visibility, "VISIBILITY_").toLowerCase(), hidden[visibility]) : null;
}

function found(filter) {
  return pagedTable([
    { title: "Person", cell: (user) => h("a", { class: "plain person", href: `#people/${encodeURIComponent(user.userId)}` },
      face(user, "2.1rem"), h("span", {}, user.username || user.userId, user.username && h("small", {}, user.userId))) },
    { title: "Tier", cell: ({ tier }) => tierChip(tier) },
    { title: "Country", cell: ({ country }) => country },
    { title: "Region", cell: ({ region }) => region },
    { title: "Last active", cell: ({ lastActiveAt }) => time(lastActiveAt), kind: "muted" },
    { title: "", cell: ({ visibility }) => visibilityChip(visibility) },
  ], async (pageToken) => {
    const page = await get("/api/v1/admin/users", { filter, pageSize: 50, pageToken });
    return { rows: page.users, next: page.nextPageToken };
  }, "Nobody is like this");
}
