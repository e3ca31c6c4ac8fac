/** The rules of the live board. Run by test_modules.py beside it, where there is a node. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { news } from "../../../server/laurel_server/web/board/feed.js";
import { Movement } from "../../../server/laurel_server/web/board/movement.js";
import { addressOf, boardOf, placeOf, scopeName, scopesToChoose } from "../../../server/laurel_server/web/board/place.js";
import { counted, left, number, signed } from "../../../server/laurel_server/web/shared/format.js";

const order = (...ids) => ids.map((userId, index) => ({ userId, rank: String(index + 1), score: "10" }));

function opened(...ids) {
  const movement = new Movement();
  movement.reset(1000);
  movement.note(order(...ids), 1000);
  return movement;
}

test("nobody has moved when a board is opened", () => {
  const movement = opened("ada", "bob");
  assert.deepEqual([movement.of("ada", 1000), movement.of("bob", 1000), movement.of("nobody", 1000)], [0, 0, 0]);
});

test("who passes others moved up by as many", () => {
  const movement = opened("ada", "bob", "cleo");
  movement.note(order("cleo", "ada", "bob"), 5000);
  assert.deepEqual([movement.of("cleo", 5000), movement.of("ada", 5000), movement.of("bob", 5000)], [2, -1, -1]);
});

test("moves of one minute add up, and older ones are forgotten", () => {
  const movement = opened("ada", "bob", "cleo");
  movement.note(order("ada", "cleo", "bob"), 10_000);
  movement.note(order("cleo", "ada", "bob"), 40_000);
  assert.equal(movement.of("cleo", 40_000), 2);
  assert.equal(movement.of("cleo", 71_000), 1);
  assert.equal(movement.of("cleo", 101_000), 0);
});

test("who comes later is new for a minute, also after leaving", () => {
  const movement = opened("ada");
  movement.note(order("ada", "bob"), 5000);
  assert.equal(movement.of("bob", 5000), "new");
  assert.equal(movement.of("bob", 66_000), 0);
  movement.note(order("ada"), 70_000);
  movement.note(order("ada", "bob"), 71_000);
  assert.equal(movement.of("bob", 71_000), "new");
});

test("the lead is told before other moves, and those before points", () => {
  const before = new Map(order("ada", "bob", "cleo").map((entry) => [entry.userId, entry]));
  const told = news(before, [
    { userId: "ada", rank: "3", score: "30" },
    { userId: "bob", rank: "1", score: "50" },
    { userId: "cleo", rank: "2", score: "10" },
    { userId: "dan", rank: "4", score: "5" },
  ]);
  assert.deepEqual(told.map(({ entry, text }) => `${entry.userId} ${text}`), [
    "bob took the lead with +40",
    "cleo moved up 1 to rank 2",
    "dan is new at rank 4",
    "ada earned +20",
  ]);
});

test("the address says which board", () => {
  assert.deepEqual(placeOf(""), { scope: "global", period: "weekly", user: "" });
  const place = { scope: "country:GB", period: "all", user: "ada@x" };
  assert.deepEqual(placeOf(addressOf(place)), place);
  assert.equal(placeOf("?period=constructor").period, "weekly");
  assert.equal(placeOf("?period=Quarterly").period, "quarterly");
  assert.deepEqual(boardOf(place), { scope: "country:GB", period: "PERIOD_ALL_TIME" });
});

test("boards have names", () => {
  assert.equal(scopeName("tier:gold"), "Gold tier");
  assert.equal(scopeName("country:GB"), "United Kingdom");
  assert.equal(scopeName("country:??"), "??");
  assert.equal(scopeName("arena"), "arena");
  assert.deepEqual(scopesToChoose(new Set(["US", "GB"]), "arena").Countries, ["country:GB", "country:US"]);
  assert.deepEqual(scopesToChoose(new Set(), "arena").Others, ["arena"]);
});

test("64-bit numbers stay exact", () => {
  assert.equal(number("9007199254740993").replace(/\D/g, ""), "9007199254740993");
  assert.equal(signed("-5"), "\u22125");
  assert.equal(left(90_061_000), "1 d 1 h");
  assert.equal(left(249_000), "4 min 09 s");
  assert.equal(left(-1), "0 min 00 s");
});

test("a number agrees with what it counts", () => {
  assert.deepEqual([counted("1", "point"), counted(0, "point"), counted(2n, "player")], ["1 point", "0 points", "2 players"]);
});
