/** Which boards are kept. */
import { newRequestId, send } from "../shared/api.js";
import { h } from "../shared/dom.js";
import { number, word } from "../shared/format.js";
import { given, listPanel, readAll } from "./lists.js";
import { ask, button, chip } from "./ui.js";

const KINDS = { BOARD_KIND_POINTS: "Points, from awards", BOARD_KIND_SCORES: "Scores, by UpdateScore" };
const PERIODS = { PERIOD_UNSPECIFIED: "\u2013", PERIOD_DAILY: "Daily", PERIOD_WEEKLY: "Weekly", PERIOD_MONTHLY: "Monthly", PERIOD_QUARTERLY: "Quarterly", PERIOD_YEARLY: "Yearly", PERIOD_ALL_TIME: "All time" };
const OPERATORS = { SCORE_OPERATOR_UNSPECIFIED: "\u2013", SCORE_OPERATOR_BEST: "Best", SCORE_OPERATOR_LAST: "Last", SCORE_OPERATOR_SUM: "Sum" };
const ORDERS = { SORT_ORDER_DESCENDING: "Highest first", SORT_ORDER_ASCENDING: "Lowest first" };
const TIES = { TIE_POLICY_EARLIEST_FIRST: "Earliest first", TIE_POLICY_COMPETITION: "Competition: 1, 1, 3", TIE_POLICY_DENSE: "Dense: 1, 1, 2" };

export function boards() {
  return listPanel({
    title: "Boards",
    text: "A board is a scope and a period, or scores of its own. A scope such as country:* stands for every country.",
    add: "New board",
    stored: "The board is stored",
    read: () => readAll("/api/v1/admin/boards", "boards"),
    edit,
    columns: [
      { title: "Board", cell: ({ boardId, displayName }) => h("span", {}, h("strong", {}, displayName || boardId), displayName && h("small", { class: "muted" }, ` ${boardId}`)) },
      { title: "Kind", cell: ({ kind }) => chip(word(kind, "BOARD_KIND_").toLowerCase()) },
      { title: "Scope", cell: ({ scope }) => h("code", {}, scope) },
      { title: "Period", cell: ({ period, resetCron }) => resetCron || PERIODS[period], kind: "muted" },
      { title: "Ties", cell: ({ tiePolicy }) => TIES[tiePolicy] ?? "", kind: "muted" },
      { title: "Prizes", cell: ({ winnerBonuses }) => winnerBonuses.map(({ points }) => number(points)).join(" / "), kind: "right" },
    ],
  });
}

function edit(row, done) {
  const was = row ?? { kind: "BOARD_KIND_SCORES", operator: "SCORE_OPERATOR_BEST", winnerBonuses: [] };
  const fixed = Boolean(row);
  const requestId = newRequestId();
  ask({
    title: row ? `Edit ${row.boardId}` : "New board",
    fields: [
      ...(fixed ? [] : [
        { name: "boardId", label: "Id", required: true },
        { name: "kind", label: "Kind", type: "select", options: KINDS, value: was.kind },
        { name: "scope", label: "Scope, of a points board" },
        { name: "period", label: "Period, of a points board", type: "select", options: PERIODS },
        { name: "operator", label: "Keeps, of a score board", type: "select", options: OPERATORS, value: was.operator },
        { name: "sortOrder", label: "Order", type: "select", options: ORDERS },
        { name: "resetCron", label: "Starts anew, cron" },
      ]),
      { name: "displayName", label: "Name", value: was.displayName },
      { name: "tiePolicy", label: "Ties", type: "select", options: TIES, value: was.tiePolicy },
      { name: "maxEntries", label: "At most so many, 0: no limit", type: "number", value: was.maxEntries ?? 0 },
      { name: "winnerBonuses", label: "Prizes by rank", value: was.winnerBonuses.map(({ points }) => points).join(" "), hint: "1000 500 250" },
    ],
    submit: async (values) => {
      const winnerBonuses = values.winnerBonuses.split(/\s+/).filter(Boolean).map((points, index) => ({ rank: index + 1, points }));
      if (fixed) await change(was, { ...values, winnerBonuses });
      else await send("POST", "/api/v1/admin/boards", { requestId, board: given({ ...values, winnerBonuses }) });
      done();
    },
  });
  if (fixed) document.querySelector("dialog:last-of-type .ends").prepend(button("Delete", () => remove(was, done), "danger"));
}

function change({ boardId }, values) {
  const board = { boardId, ...values };
  return send("PATCH", `/api/v1/admin/boards/${encodeURIComponent(boardId)}`, { board, updateMask: Object.keys(values).join(",") });
}

function remove({ boardId }, done) {
  const requestId = newRequestId();
  document.querySelector("dialog:last-of-type").close();
  ask({
    title: `Delete ${boardId}?`,
    text: "The scores of a score board go with it. What a points board showed stays in the ledger.",
    confirm: "Delete",
    danger: true,
    submit: async () => {
      await send("DELETE", `/api/v1/admin/boards/${encodeURIComponent(boardId)}?requestId=${requestId}`);
      done(`${boardId} is deleted`);
    },
  });
}
