/** Whether what must be equal is equal, and filling boards anew. */
import { get, newRequestId, send } from "../shared/api.js";
import { h } from "../shared/dom.js";
import { number } from "../shared/format.js";
import { ask, button, chip, panel, section, showIn, table, toast, whileBusy } from "./ui.js";

const SCOPES = { "": "Everything", ledger: "The ledger", boards: "The boards" };

export function integrity() {
  const result = h("div");
  const choice = h("select", { class: "input", "aria-label": "What to compare" }, Object.entries(SCOPES).map(([value, text]) => h("option", { value }, text)));
  const trigger = button("Verify", () => whileBusy(trigger, () => showIn(result, () => verified(choice.value))), "main");
  return panel("Integrity", {
    text: "Compares balances with entries, entries with lots, and boards with the ledger. Over much data it takes minutes; awards go on meanwhile.",
    deeds: [choice, trigger],
  }, result, section("Boards", h("p", { class: "hint" }, "A board that differs is repaired by itself. To fill it anew all the same:"), h("div", {}, button("Rebuild boards", rebuild))));
}

async function verified(scope) {
  const { ok, checks } = await get("/api/v1/admin/integrity", { scope });
  const verdict = ok ? chip("all equal", "good") : chip("differences found", "bad");
  return section("Result", h("p", {}, verdict), table([
    { title: "Check", cell: ({ name }) => name },
    { title: "Compared", cell: ({ checked }) => number(checked), kind: "right" },
    { title: "Different", cell: ({ mismatches }) => number(mismatches), kind: "right" },
    { title: "", cell: (check) => (check.ok ? chip("equal", "good") : chip("differs", "bad")) },
    { title: "Detail", cell: ({ detail }) => detail, kind: "wrap muted" },
  ], checks));
}

function rebuild() {
  const requestId = newRequestId();
  ask({
    title: "Rebuild boards?",
    text: "They are filled from the ledger. Until that ends, reads of them are refused; awards go on.",
    fields: [{ name: "scope", label: "Scope, empty: all boards", wide: true }],
    confirm: "Rebuild",
    submit: async ({ scope }) => {
      const answer = await send("POST", "/api/v1/admin/rebuild", { requestId, ...(scope && { board: { scope } }) });
      toast(`${number(answer.boards)} boards with ${number(answer.members)} members are filled`);
    },
  });
}
