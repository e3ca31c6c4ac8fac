/** The client with a running Laurel: LAUREL_ADDRESS over gRPC, LAUREL_GATEWAY over gRPC-Web. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { createGrpcWebTransport } from "@connectrpc/connect-web";

import { board, connect, newRequestId, reasonOf, watchLeaderboard, watchRank, withToken } from "../src/index.js";

const interceptors = process.env.LAUREL_TOKEN ? [withToken(process.env.LAUREL_TOKEN)] : [];

const transports: Record<string, { variable: string; make: (address: string) => Transport }> = {
  gRPC: {
    variable: "LAUREL_ADDRESS",
    make: (address) => createGrpcTransport({ baseUrl: `http://${address}`, interceptors }),
  },
  "gRPC-Web": {
    variable: "LAUREL_GATEWAY",
    make: (address) => createGrpcWebTransport({ baseUrl: `http://${address}`, interceptors }),
  },
};

const purchase = (userId: string, requestId = newRequestId()) => ({
  requestId,
  userId,
  action: "PURCHASE",
  attributes: { order_value: "1999.00" },
});

for (const [name, { variable, make }] of Object.entries(transports)) {
  const address = process.env[variable];
  const skip = address ? false : `${variable} names no running Laurel`;
  const open = () => connect(make(address ?? ""));
  const newUser = () => `ts-${newRequestId()}`;

  test(`${name}: an award counts once under its key`, { skip }, async () => {
    const { rewards } = open();
    const request = purchase(newUser());
    const first = await rewards.awardPoints(request);
    const second = await rewards.awardPoints(request);
    assert.equal(first.transaction?.points, 19n);
    assert.deepEqual([first.replayed, second.replayed], [false, true]);
    assert.equal(second.rewards?.totalPoints, 19n);
  });

  test(`${name}: an error has its reason`, { skip }, async () => {
    const refused = open().rewards.awardPoints({ ...purchase(newUser()), action: "JUGGLING" });
    await assert.rejects(refused, (error) => {
      assert.equal(ConnectError.from(error).code, Code.NotFound);
      return reasonOf(error) === "ACTION_NOT_FOUND";
    });
  });

  test(`${name}: a watch of a rank tells of every award`, { skip }, async () => {
    const { rewards, leaderboards } = open();
    const userId = newUser();
    await rewards.awardPoints(purchase(userId));
    const scores: bigint[] = [];
    const end = new AbortController();
    for await (const update of watchRank(leaderboards, userId, [board("global", "weekly")], end.signal)) {
      scores.push(update.score);
      if (update.score >= 38n) break;
      await rewards.awardPoints(purchase(userId));
    }
    end.abort();
    assert.equal(scores[0], 19n);
  });

  test(`${name}: a watch of a board follows its leader`, { skip }, async () => {
    const { rewards, leaderboards } = open();
    const userId = newUser();
    await rewards.awardPoints(purchase(userId));
    const end = new AbortController();
    let ranked = 0;
    for await (const top of watchLeaderboard(leaderboards, board("global", "daily"), 100, end.signal)) {
      ranked = top.entries.findIndex((entry) => entry.userId === userId);
      assert.deepEqual(top.entries.map((entry) => Number(entry.rank)), top.entries.map((_, index) => index + 1));
      if (ranked === 0) break;
      const lead = Number((top.entries[0]?.score ?? 0n) + 1n);
      const attributes = { order_value: String(100 * lead) };
      await rewards.awardPoints({ ...purchase(userId), attributes });
    }
    end.abort();
    assert.equal(ranked, 0);
  });

  test(`${name}: a watch of nobody is refused`, { skip }, async () => {
    const watch = watchRank(open().leaderboards, newUser());
    await assert.rejects(watch.next(), (error) => reasonOf(error) === "USER_NOT_FOUND");
  });
}
