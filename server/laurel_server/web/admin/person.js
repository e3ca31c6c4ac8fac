/** One person: points, ranks, statement, and what an operator may do. */
import { get, newRequestId, send } from "../shared/api.js";
import { face, h, icon, nameOf, tierChip } from "../shared/dom.js";
import { number, share, signed, time, word } from "../shared/format.js";
import { editProfile } from "./profile.js";
import { visibilityChip } from "./people.js";
import { actor, ask, button, chip, pagedTable, section, showIn, table, tiles, toast } from "./ui.js";

const VISIBILITIES = {
  VISIBILITY_PUBLIC: "Public: on every board",
  VISIBILITY_HIDDEN: "Hidden: on no board (opted out or banned)",
  VISIBILITY_SHADOW: "Shadow: sees himself, others do not",
};

export async function person(userId) {
  const place = h("div");
  const again = () => showIn(place, () => make(userId, again));
  await again();
  return place;
}

async function make(userId, again) {
  const id = encodeURIComponent(userId);
  const [{ user }, rewards, ranks, badges] = await Promise.all([
    get(`/api/v1/admin/users/${id}`),
    get(`/api/v1/rewards/${id}`),
    orEmpty(get(`/api/v1/leaderboard/ranks/${id}`), { ranks: [] }),
    orEmpty(get(`/api/v1/ranking/${id}/badges`), { badges: [] }),
  ]);
  const done = (text) => { toast(text); again(); };
  return h("div", { class: "panel" },
    h("a", { class: "button quiet back", href: "#people" }, icon("back"), "People"),
    head(user, done),
    tiles(figures(rewards.rewards)),
    badges.badges.length ? section("Badges", h("div", { class: "chips" }, badges.badges.map(badgeChip))) : null,
    section("Ranks", table([
      { title: "Board", cell: ({ board }) => boardName(board) },
      { title: "Rank", cell: ({ rank }) => number(rank), kind: "right" },
      { title: "Of", cell: ({ total }) => number(total), kind: "right" },
      { title: "Top", cell: ({ rank, total }) => (Number(total) ? share((Number(rank) / Number(total)) * 100) : ""), kind: "right" },
      { title: "Score", cell: ({ score }) => number(score), kind: "right" },
    ], ranks.ranks, "On no board")),
    section("Statement", await statement(id)));
}

function head(user, done) {
  const about = [user.userId, user.email, user.country, user.region, `since ${time(user.createdAt)}`].filter(Boolean);
  return h("header", { class: "panel-head" },
    h("div", { class: "profile" }, face(user, "3.4rem"),
      h("div", {}, h("h1", {}, nameOf(user)), h("p", {}, tierChip(user.tier), visibilityChip(user.visibility), about.map((text) => h("span", {}, text))))),
    h("div", { class: "deeds" },
      button("Award", () => award(user, done)),
      button("Adjust", () => adjust(user, done)),
      button("Edit", () => editProfile(user, () => done("The profile is stored"))),
      button("Visibility", () => setVisibility(user, done)),
      button("Erase", () => erase(user), "danger")));
}

function figures(rewards) {
  return [
    ["Available", number(rewards.totalPoints)],
    ["Lifetime", number(rewards.lifetimePoints)],
    ["Redeemed", number(rewards.redeemedPoints)],
    ["Expired", number(rewards.expiredPoints)],
    ["Held", number(rewards.heldPoints)],
    ["Pending", number(rewards.pendingPoints)],
  ];
}

function statement(id) {
  return pagedTable([
    { title: "When", cell: ({ transactionTime }) => time(transactionTime), kind: "muted" },
    { title: "Action", cell: ({ action }) => action },
    { title: "Points", cell: ({ points }) => h("span", { class: Number(points) < 0 ? "negative" : "positive" }, signed(points)), kind: "right" },
    { title: "Balance", cell: ({ balanceAfter }) => number(balanceAfter), kind: "right" },
    { title: "Expires", cell: ({ expiresAt }) => time(expiresAt), kind: "muted" },
    { title: "About", cell: about, kind: "wrap muted" },
  ], async (pageToken) => {
    const page = await get(`/api/v1/rewards/${id}/transactions`, { pageSize: 25, pageToken });
    return { rows: page.transactions, next: page.nextPageToken };
  }, "No entries yet");
}

function about({ reason, orderId, referenceId, createdBy }) {
  return [reason, orderId && `order ${orderId}`, referenceId && `ref ${referenceId}`, createdBy && `by ${createdBy}`].filter(Boolean).join(" \u00b7 ");
}

async function award(user, done) {
  const { configs } = await get("/api/v1/admin/actions");
  const awardable = configs.filter(({ active, pointsFormula, basePoints }) => active && (pointsFormula || Number(basePoints)));
  const requestId = newRequestId();
  ask({
    title: `Award ${nameOf(user)}`,
    fields: [
      { name: "action", label: "Action", type: "select", options: Object.fromEntries(awardable.map(({ action }) => [action, action])) },
      { name: "attributes", label: "Attributes, NAME=VALUE", hint: "what the formula asks for: order_value=19.99" },
      { name: "reason", label: "Reason", wide: true },
    ],
    confirm: "Award",
    submit: async ({ action, attributes, reason }) => {
      const pairs = attributes.split(/\s+/).filter(Boolean).map((pair) => pair.split("="));
      const body = { requestId, userId: user.userId, action, attributes: Object.fromEntries(pairs), reason };
      const { transaction } = await send("POST", "/api/v1/rewards/award", body);
      done(`${signed(transaction.points)} points for ${action}`);
    },
  });
}

function adjust(user, done) {
  const requestId = newRequestId();
  ask({
    title: `Adjust the points of ${nameOf(user)}`,
    text: "The entry stays in the statement with name and reason. Boards are not touched unless the action config says so.",
    fields: [
      { name: "points", label: "Points, + or \u2212", type: "number", required: true },
      { name: "actor", label: "By", value: actor(), required: true },
      { name: "reason", label: "Reason", type: "textarea", required: true, wide: true },
    ],
    confirm: "Adjust",
    submit: async (given) => {
      const { transaction } = await send("POST", "/api/v1/rewards/adjust", { requestId, userId: user.userId, ...given });
      done(`Adjusted by ${signed(transaction.points)}`);
    },
  });
}

function setVisibility(user, done) {
  const requestId = newRequestId();
  ask({
    title: `Who sees ${nameOf(user)}?`,
    fields: [
      { name: "visibility", label: "Visibility", type: "select", options: VISIBILITIES, value: user.visibility, wide: true },
      { name: "reason", label: "Reason", wide: true },
    ],
    submit: async (given) => {
      await send("POST", `/api/v1/admin/users/${encodeURIComponent(user.userId)}/visibility`, { requestId, actor: actor(), ...given });
      done("The visibility is stored");
    },
  });
}

function erase(user) {
  const requestId = newRequestId();
  ask({
    title: `Erase ${nameOf(user)} for good?`,
    text: "Profile, id and places on all boards go. The entries stay, without the id. This cannot be undone.",
    fields: [
      { name: "again", label: `Type ${user.userId} to go on`, required: true, wide: true },
      { name: "reason", label: "Reason", wide: true },
    ],
    confirm: "Erase",
    danger: true,
    submit: async ({ again, reason }) => {
      if (again !== user.userId) throw new Error("That is another id");
      await send("POST", `/api/v1/admin/users/${encodeURIComponent(user.userId)}/erase`, { requestId, actor: actor(), reason });
      toast(`${user.userId} is erased`);
      location.hash = "#people";
    },
  });
}

function badgeChip({ badgeType, level, active, earnedAt }) {
  const text = word(badgeType.replace(/(\d)_(?=\d)/, "$1.")) + (Number(level) > 1 ? ` ${level}` : "");
  const mark = chip(text, active ? "good" : "");
  mark.title = `earned ${time(earnedAt)}`;
  return mark;
}

/** Returns what operators call a board. */
export function boardName({ scope, period, periodId }) {
  return [scope || "global", word(period, "PERIOD_").toLowerCase(), periodId !== "all" && periodId].filter(Boolean).join(" ");
}

/** A part that this caller may not see, or that this Laurel cannot answer now, is left empty. */
function orEmpty(answer, empty) {
  return answer.catch(() => empty);
}
