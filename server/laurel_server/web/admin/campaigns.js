/** What multiplies awards for a while. */
import { send } from "../shared/api.js";
import { h } from "../shared/dom.js";
import { number, time } from "../shared/format.js";
import { given, listPanel, onOff, readAll, words } from "./lists.js";
import { actor, ask } from "./ui.js";

const STACKING = { STACK_MODE_MULTIPLY: "Multiplies with others", STACK_MODE_BEST_ONLY: "Only the best of its kind counts" };

export function campaigns() {
  return listPanel({
    title: "Campaigns",
    text: "A campaign multiplies the points of awards while it runs, for those whom it names, until its budget is spent.",
    add: "New campaign",
    stored: "The campaign is stored",
    read: () => readAll("/api/v1/admin/campaigns", "campaigns"),
    edit,
    columns: [
      { title: "Campaign", cell: ({ campaignId, displayName }) => h("span", {}, h("strong", {}, displayName || campaignId), displayName && h("small", { class: "muted" }, ` ${campaignId}`)) },
      { title: "Times", cell: ({ multiplier }) => multiplier, kind: "right" },
      { title: "For", cell: audience, kind: "wrap muted" },
      { title: "From", cell: ({ startsAt }) => time(startsAt), kind: "muted" },
      { title: "Until", cell: ({ endsAt }) => time(endsAt), kind: "muted" },
      { title: "Spent", cell: ({ spentPoints, budgetPoints }) => number(spentPoints) + (budgetPoints === "0" ? "" : ` of ${number(budgetPoints)}`), kind: "right" },
      { title: "", cell: ({ active }) => onOff(active) },
    ],
  });
}

function audience({ actions, tiers, countries, segments }) {
  const tierNames = tiers.map((tier) => tier.replace("TIER_", "").toLowerCase());
  return [actions, tierNames, countries, segments].filter((part) => part.length).map((part) => part.join(", ")).join("; ") || "every award";
}

function edit(row, done) {
  const was = row ?? { active: true, actions: [], tiers: [], countries: [], segments: [] };
  ask({
    title: row ? `Edit ${row.displayName || row.campaignId}` : "New campaign",
    fields: [
      ...(row ? [] : [{ name: "campaignId", label: "Id", required: true }]),
      { name: "displayName", label: "Name", value: was.displayName },
      { name: "multiplier", label: "Times", value: was.multiplier ?? "2", required: true },
      { name: "budgetPoints", label: "Budget of extra points, 0: no limit", type: "number", value: was.budgetPoints ?? 0 },
      { name: "startsAt", label: "From", type: "time", value: was.startsAt },
      { name: "endsAt", label: "Until", type: "time", value: was.endsAt },
      { name: "actions", label: "Actions, empty: all", value: was.actions.join(" ") },
      { name: "tiers", label: "Tiers, empty: all", value: was.tiers.map((tier) => tier.replace("TIER_", "")).join(" ") },
      { name: "countries", label: "Countries, empty: all", value: was.countries.join(" ") },
      { name: "segments", label: "Segments, empty: all", value: was.segments.join(" ") },
      { name: "stackMode", label: "Beside others", type: "select", options: STACKING, value: was.stackMode },
      { name: "active", label: "Active", type: "check", value: was.active },
    ],
    submit: async (values) => {
      const campaign = given({
        ...values,
        campaignId: was.campaignId ?? values.campaignId,
        actions: words(values.actions),
        tiers: words(values.tiers).map((tier) => `TIER_${tier.toUpperCase()}`),
        countries: words(values.countries),
        segments: words(values.segments),
      });
      await send("PUT", `/api/v1/admin/campaigns/${encodeURIComponent(campaign.campaignId)}`, { campaign, actor: actor() });
      done();
    },
  });
}
