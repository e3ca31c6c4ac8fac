/** What is rewarded, and by how much. */
import { send } from "../shared/api.js";
import { h } from "../shared/dom.js";
import { number } from "../shared/format.js";
import { durationOf, given, listPanel, onOff, pairsOf, pairsText, readAll, secondsText } from "./lists.js";
import { actor, ask } from "./ui.js";

const EFFECTS = { BOARD_EFFECT_ALL: "All boards", BOARD_EFFECT_ALL_TIME_ONLY: "All-time boards only", BOARD_EFFECT_NONE: "No board" };
const CAP_MODES = { CAP_MODE_PARTIAL: "Cut what is above", CAP_MODE_REJECT: "Refuse the award" };

export function actions() {
  return listPanel({
    title: "Actions",
    text: "What users are rewarded for. A change holds for every award that begins after it.",
    add: "New action",
    stored: "The action is stored",
    read: () => readAll("/api/v1/admin/actions", "configs"),
    edit,
    columns: [
      { title: "Action", cell: ({ action, displayName }) => h("span", {}, h("strong", {}, action), displayName && displayName !== action && h("small", { class: "muted" }, ` ${displayName}`)) },
      { title: "Gives", cell: ({ pointsFormula, basePoints }) => h("code", {}, pointsFormula || basePoints || "0") },
      { title: "A day at most", cell: ({ maxDailyPoints }) => (maxDailyPoints === "0" ? "" : number(maxDailyPoints)), kind: "right" },
      { title: "Cooldown", cell: ({ cooldown }) => (secondsText(cooldown) ? `${secondsText(cooldown)} s` : ""), kind: "right" },
      { title: "Expires after", cell: ({ expiresAfter }) => expiresAfter || "never", kind: "muted" },
      { title: "", cell: ({ active }) => onOff(active) },
    ],
  });
}

function edit(row, done) {
  const was = row ?? { active: true, boardEffect: "BOARD_EFFECT_ALL", capMode: "CAP_MODE_PARTIAL" };
  ask({
    title: row ? `Edit ${row.action}` : "New action",
    fields: [
      ...(row ? [] : [{ name: "action", label: "Action, such as REVIEW", required: true }]),
      { name: "displayName", label: "Name", value: was.displayName },
      { name: "pointsFormula", label: "Formula", value: was.pointsFormula, hint: "over attributes: order_value * 0.01" },
      { name: "basePoints", label: "Or fixed points", value: was.basePoints },
      { name: "tierMultipliers", label: "Multipliers by tier", value: pairsText(was.tierMultipliers), hint: "GOLD=2, DIAMOND=5; others as their tier" },
      { name: "maxPointsPerAction", label: "At most at once, 0: no limit", type: "number", value: was.maxPointsPerAction ?? 0 },
      { name: "maxDailyPoints", label: "At most a day, 0: no limit", type: "number", value: was.maxDailyPoints ?? 0 },
      { name: "capMode", label: "Beyond the day's limit", type: "select", options: CAP_MODES, value: was.capMode },
      { name: "cooldown", label: "Cooldown in seconds", type: "number", value: secondsText(was.cooldown) },
      { name: "expiresAfter", label: "Expires after", value: was.expiresAfter, hint: "P1Y, P30D; empty: never" },
      { name: "boardEffect", label: "Counts on", type: "select", options: EFFECTS, value: was.boardEffect },
      { name: "effectiveFrom", label: "From", type: "time", value: was.effectiveFrom },
      { name: "effectiveUntil", label: "Until", type: "time", value: was.effectiveUntil },
      { name: "description", label: "Description", type: "textarea", value: was.description, wide: true },
      { name: "active", label: "Active", type: "check", value: was.active },
    ],
    submit: async (values) => {
      const config = given({
        ...values,
        action: was.action ?? values.action,
        tierMultipliers: pairsOf(values.tierMultipliers),
        cooldown: durationOf(values.cooldown),
      });
      await send("PUT", `/api/v1/admin/actions/${encodeURIComponent(config.action)}`, { config, actor: actor() });
      done();
    },
  });
}
