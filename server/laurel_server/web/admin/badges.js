/** Which badges there are, and for what. */
import { get, send } from "../shared/api.js";
import { h } from "../shared/dom.js";
import { durationOf, given, listPanel, onOff, secondsText } from "./lists.js";
import { actor, ask } from "./ui.js";

export function badges() {
  return listPanel({
    title: "Badges",
    text: "A badge is earned once its rule holds: over points, rank, percentile, top_percent and counts of actions.",
    add: "New badge",
    stored: "The badge is stored",
    read: async () => (await get("/api/v1/ranking/badges/definitions")).definitions,
    edit,
    columns: [
      { title: "Badge", cell: ({ badgeType, displayName }) => h("span", {}, h("strong", {}, displayName || badgeType), displayName && h("small", { class: "muted" }, ` ${badgeType}`)) },
      { title: "Rule", cell: ({ rule }) => h("code", {}, rule), kind: "wrap" },
      { title: "What for", cell: ({ description }) => description, kind: "wrap muted" },
      { title: "", cell: ({ active }) => onOff(active) },
    ],
  });
}

function edit(row, done) {
  const was = row ?? { active: true, levelRules: [] };
  ask({
    title: row ? `Edit ${row.badgeType}` : "New badge",
    fields: [
      ...(row ? [] : [{ name: "badgeType", label: "Type, such as REVIEWER", required: true }]),
      { name: "displayName", label: "Name", value: was.displayName },
      { name: "rule", label: "Rule", value: was.rule, hint: "points >= 777 and count(\"REVIEW\") >= 3", wide: true },
      { name: "levelRules", label: "Rules of the levels above, a line each", type: "textarea", value: (was.levelRules ?? []).join("\n"), wide: true },
      { name: "description", label: "Description", type: "textarea", value: was.description, wide: true },
      { name: "validFor", label: "Valid for seconds, empty: for ever", type: "number", value: secondsText(was.validFor) },
      { name: "active", label: "Active", type: "check", value: was.active },
    ],
    submit: async (values) => {
      const definition = given({
        ...values,
        badgeType: was.badgeType ?? values.badgeType,
        levelRules: values.levelRules.split("\n").map((line) => line.trim()).filter(Boolean),
        validFor: durationOf(values.validFor),
      });
      await send("PUT", `/api/v1/admin/badges/${encodeURIComponent(definition.badgeType)}`, { definition, actor: actor() });
      done();
    },
  });
}
