/** Periods, their state, and who won. */
import { get } from "../shared/api.js";
import { h } from "../shared/dom.js";
import { number, time, word } from "../shared/format.js";
import { chip, pagedTable, panel, showIn } from "./ui.js";

const PERIODS = { PERIOD_WEEKLY: "Weeks", PERIOD_DAILY: "Days", PERIOD_MONTHLY: "Months", PERIOD_QUARTERLY: "Quarters", PERIOD_YEARLY: "Years" };
const MOODS = { PERIOD_STATE_ACTIVE: "good", PERIOD_STATE_CLOSING: "warn" };

export function periods() {
  const list = h("div");
  const choice = h("select", { class: "input", "aria-label": "Length" }, Object.entries(PERIODS).map(([value, text]) => h("option", { value }, text)));
  const show = () => showIn(list, () => listed(choice.value));
  choice.addEventListener("change", show);
  show();
  return panel("Periods", { text: "A period closes by itself: its standing is frozen, its winners are paid, once. A closed standing never changes.", deeds: [choice] }, list);
}

function listed(period) {
  return pagedTable([
    { title: "Period", cell: ({ board }) => h("strong", {}, board.periodId) },
    { title: "Board", cell: ({ board }) => board.scope },
    { title: "Ends", cell: ({ endsAt }) => time(endsAt), kind: "muted" },
    { title: "People", cell: ({ totalParticipants }) => number(totalParticipants), kind: "right" },
    { title: "State", cell: ({ state }) => chip(word(state, "PERIOD_STATE_").toLowerCase(), MOODS[state]) },
    { title: "Winners", cell: ({ winners }) => winnersOf(winners), kind: "wrap" },
  ], async (pageToken) => {
    const page = await get("/api/v1/periods", { period, scope: "global", pageSize: 20, pageToken });
    return { rows: page.periods, next: page.nextPageToken };
  }, "No period yet");
}

function winnersOf(winners) {
  return h("span", { class: "chips" }, winners.slice(0, 5).map(({ rank, userId, bonusPoints }) =>
    h("a", { class: "plain", href: `#people/${encodeURIComponent(userId)}` }, `${rank}. ${userId} `, h("small", { class: "muted" }, bonusPoints === "0" ? "" : `+${number(bonusPoints)}`))));
}
