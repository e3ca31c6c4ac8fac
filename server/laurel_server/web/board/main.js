/** The live leaderboard: the board that the address names, kept up to date. */
import { CallError, get, useToken, watch } from "../shared/api.js";
import { h, note } from "../shared/dom.js";
import { counted, left } from "../shared/format.js";
import { schemeSwitch } from "../shared/scheme.js";
import { Feed, news } from "./feed.js";
import { BoardList } from "./list.js";
import { Movement } from "./movement.js";
import { Pinned } from "./pinned.js";
import { PERIODS, RARE_PERIODS, addressOf, boardOf, placeOf, scopeName, scopesToChoose } from "./place.js";

const MOST = 100;
const FIRST_LINES = 25;
const element = (id) => document.getElementById(id);

let place = placeOf(location.search);
let lines = FIRST_LINES;
let shown = new Map(); // user id -> entry
let endsAt = 0;
let total = 0;
let periodId = "";
let watching = new AbortController();

const movement = new Movement();
const list = new BoardList(element("board"), (user) => go({ ...place, user }));
const feed = new Feed(element("feed"), element("quiet"), element("spoken"));
const pinned = new Pinned(element("pinned"), element("own"), () => go({ ...place, user: "" }));
const countries = new Set();

/** Shows another place and remembers it in the address. */
function go(next) {
  const isOtherBoard = next.scope !== place.scope || next.period !== place.period;
  place = next;
  history.pushState(null, "", addressOf(place));
  if (isOtherBoard) openBoard();
  else drawLines();
  followUser();
}

function followUser() {
  element("user").value = place.user;
  pinned.follow(place.user, boardOf(place));
}

function openBoard() {
  watching.abort();
  watching = new AbortController();
  lines = FIRST_LINES;
  list.wait();
  feed.clear();
  element("instead").replaceChildren();
  element("facts").textContent = "";
  element("ends").textContent = "";
  endsAt = 0;
  drawControls();
  follow(watching.signal);
}

/** Follows the board until it is left; says why where it cannot. */
async function follow(signal) {
  try {
    await readPeriod(signal);
    const { scope, period } = boardOf(place);
    await watch("/api/v1/leaderboard/watch", { "board.scope": scope, "board.period": period, topN: MOST }, {
      signal,
      onState: (state) => showState(state),
      onMessage: (message) => take(message, signal),
    });
  } catch (error) {
    if (!signal.aborted) showFailure(error);
  }
}

/** Reads when the period ends, and whether there is such a board at all. */
async function readPeriod(signal) {
  const { scope, period } = boardOf(place);
  const answer = await get("/api/v1/leaderboard/global", { "board.scope": scope, "board.period": period, pageSize: 1 }, signal);
  endsAt = answer.endsAt ? Date.parse(answer.endsAt) : 0;
  drawTime();
}

function take({ snapshot, delta }, signal) {
  if (snapshot) {
    const isFirst = element("board").hasAttribute("aria-busy");
    if (isFirst) shown = new Map();
    if (isFirst || shown.size === 0) movement.reset(Date.now());
    else if (snapshot.board?.periodId !== periodId) rollOver(signal);
    periodId = snapshot.board?.periodId;
    change(snapshot.entries, [...shown.keys()], snapshot.totalParticipants, isFirst);
  } else if (delta) {
    change(delta.changed, delta.removed, delta.totalParticipants, false);
  }
}

/** The next period has begun: its board starts empty, and nobody has moved yet. */
function rollOver(signal) {
  movement.reset(Date.now());
  feed.clear();
  readPeriod(signal).catch(() => {}); // the countdown alone depends on it
}

function change(entries, removed, participants, isFirst) {
  const before = shown;
  shown = new Map(before);
  for (const userId of removed) shown.delete(userId);
  for (const entry of entries) shown.set(entry.userId, entry);
  total = participants;
  movement.note(shown.values(), Date.now());
  if (!isFirst) feed.add(news(before, entries));
  noteCountries();
  drawLines();
}

function drawLines() {
  const entries = [...shown.values()].sort((one, other) => Number(one.rank) - Number(other.rank));
  const now = Date.now();
  list.show(entries.slice(0, lines), place.user, (userId) => movement.of(userId, now));
  element("instead").replaceChildren(...(entries.length ? [] : [emptyNote()]));
  element("facts").textContent = facts(entries);
  const more = element("more");
  more.hidden = entries.length <= lines;
  more.textContent = `Show the top ${Math.min(MOST, entries.length)}`;
}

function facts(entries) {
  if (!entries.length) return "";
  const players = counted(total, "player");
  if (entries.length < 2) return players;
  const [first, second] = entries.map(({ score }) => BigInt(score));
  const gap = first > second ? first - second : second - first; // on some boards the lowest leads
  return `${players} \u00b7 ${gap > 0n ? `${counted(gap, "point")} between first and second` : "first and second are level"}`;
}

function emptyNote() {
  return note("Nobody is here yet", "The first award of this period opens the board.");
}

function showState(state) {
  const words = { live: "Live", waiting: "Reconnecting", lost: "Not connected", none: "No board" };
  element("state").dataset.state = state;
  element("state").querySelector(".word").textContent = words[state];
}

function showFailure(error) {
  showState(error.reason === "BOARD_NOT_FOUND" ? "none" : "lost");
  shown = new Map();
  element("board").replaceChildren();
  element("board").removeAttribute("aria-busy");
  if (error instanceof CallError && error.asksForToken) askForToken();
  else if (error.reason === "BOARD_NOT_FOUND") element("instead").replaceChildren(noSuchBoard());
  else element("instead").replaceChildren(note("The board cannot be shown", error.message, again()));
}

function noSuchBoard() {
  const kept = place.period === "weekly" ? "all" : "weekly";
  const other = h("button", { class: "button", type: "button", onclick: () => go({ ...place, period: kept }) }, PERIODS[kept]);
  return note(`${scopeName(place.scope)} has no board for this period`, "Which boards are kept is up to the operators of this Laurel.", other);
}

function again() {
  return h("button", { class: "button", type: "button", onclick: openBoard }, "Try again");
}

function askForToken() {
  const dialog = element("token");
  dialog.showModal();
  dialog.addEventListener("close", () => {
    useToken(new FormData(dialog.querySelector("form")).get("token"));
    openBoard();
    followUser();
  }, { once: true });
}

function noteCountries() {
  const before = countries.size;
  for (const { country } of shown.values()) if (country) countries.add(country);
  if (countries.size !== before) drawScopes();
}

function drawControls() {
  const title = place.scope === "global" ? "Global leaderboard" : scopeName(place.scope);
  element("title").textContent = title;
  document.title = `${title} \u00b7 Laurel`;
  for (const radio of element("periods").querySelectorAll("input")) {
    radio.checked = radio.value === place.period;
    radio.parentElement.hidden = !radio.checked && Object.hasOwn(RARE_PERIODS, radio.value);
  }
  drawScopes();
}

function drawScopes() {
  const groups = Object.entries(scopesToChoose(countries, place.scope)).map(([label, scopes]) => {
    const options = scopes.map((scope) => h("option", { value: scope }, scopeName(scope)));
    return label ? h("optgroup", { label }, ...options) : options;
  });
  element("scope").replaceChildren(...groups.flat(), h("option", { value: "" }, "Another board\u2026"));
  element("scope").value = place.scope;
}

function drawTime() {
  const remaining = endsAt - Date.now();
  element("ends").textContent = !endsAt ? "" : remaining > 0 ? `Ends in ${left(remaining)}` : "The next period begins";
}

function chooseScope() {
  const scope = element("scope").value;
  if (scope) return go({ ...place, scope });
  element("scope").value = place.scope;
  const dialog = element("other");
  dialog.returnValue = "";
  dialog.showModal();
  dialog.addEventListener("close", () => {
    const typed = new FormData(dialog.querySelector("form")).get("scope").trim();
    if (dialog.returnValue === "open" && typed) go({ ...place, scope: typed });
  }, { once: true });
}

function start() {
  schemeSwitch(element("scheme"));
  element("periods").append(...Object.entries({ ...PERIODS, ...RARE_PERIODS }).map(([period, text]) =>
    h("label", {}, h("input", { type: "radio", name: "period", value: period, onchange: () => go({ ...place, period }) }), h("span", {}, text))));
  element("scope").addEventListener("change", chooseScope);
  element("more").addEventListener("click", () => { lines = MOST; drawLines(); });
  element("find").addEventListener("submit", (event) => {
    event.preventDefault();
    go({ ...place, user: element("user").value.trim() });
  });
  addEventListener("popstate", () => { place = placeOf(location.search); openBoard(); followUser(); });
  setInterval(() => {
    drawTime();
    feed.refresh();
    list.refresh((userId) => movement.of(userId, Date.now()));
  }, 1000);
  openBoard();
  followUser();
}

start();
