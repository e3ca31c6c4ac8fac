/** What a watch does when its stream ends, with a stand-in for the server. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";

import { ErrorInfoSchema } from "../src/gen/google/rpc/error_details_pb.js";
import { LeaderboardService, WatchLeaderboardResponseSchema } from "../src/gen/laurel/leaderboard/v1/leaderboard_service_pb.js";
import { LeaderboardEntrySchema } from "../src/gen/laurel/leaderboard/v1/leaderboard_pb.js";
import { connect, watchLeaderboard, watchRank } from "../src/index.js";

const update = (rank: bigint) => ({ resumeToken: `after-${rank}`, event: { case: "update" as const, value: { rank } } });
const said = (event: MessageInitShape<typeof WatchLeaderboardResponseSchema>["event"]) =>
  create(WatchLeaderboardResponseSchema, { event });
const line = (userId: string, rank: bigint) => create(LeaderboardEntrySchema, { userId, rank });

test("a watch resumes after an end, a broken connection, a server that stops and a forgotten token", async () => {
  const tokens: string[] = [];
  const transport = createRouterTransport(({ service }) => {
    service(LeaderboardService, {
      async *watchRank(request) {
        tokens.push(request.resumeToken);
        if (tokens.length === 1) {
          yield update(1n);
          yield { resumeToken: "after-end", event: { case: "end" as const, value: { reason: "DRAINING" } } };
        } else if (tokens.length === 2) {
          yield update(2n);
          throw new ConnectError("broken off", Code.Unavailable);
        } else if (tokens.length === 3) {
          throw new ConnectError("stopping", Code.Canceled);
        } else if (tokens.length === 4) {
          const info = { desc: ErrorInfoSchema, value: { reason: "PAGE_TOKEN_INVALID", domain: "laurel" } };
          throw new ConnectError("unknown token", Code.InvalidArgument, undefined, [info]);
        } else {
          yield update(5n);
        }
      },
    });
  });
  const ranks: bigint[] = [];
  for await (const { rank } of watchRank(connect(transport).leaderboards, "ada")) {
    ranks.push(rank);
    if (rank === 5n) break;
  }
  assert.deepEqual(ranks, [1n, 2n, 5n]);
  assert.deepEqual(tokens, ["", "after-end", "after-2", "after-2", ""]);
});

test("a top is the snapshot with every delta since", async () => {
  const transport = createRouterTransport(({ service }) => {
    service(LeaderboardService, {
      async *watchLeaderboard() {
        const entries = [line("ada", 1n), line("bob", 2n), line("cleo", 3n)];
        yield said({ case: "snapshot", value: { entries, totalParticipants: 3n } });
        yield said({ case: "heartbeat", value: {} });
        const changed = [line("dan", 1n), line("ada", 2n)];
        yield said({ case: "delta", value: { changed, removed: ["bob"], totalParticipants: 3n } });
      },
    });
  });
  const tops: string[] = [];
  for await (const top of watchLeaderboard(connect(transport).leaderboards)) {
    tops.push(top.entries.map((entry) => entry.userId).join(" "));
    if (tops.length === 2) break;
  }
  assert.deepEqual(tops, ["ada bob cleo", "dan ada cleo"]);
});

test("an aborted watch ends quietly", async () => {
  const transport = createRouterTransport(({ service }) => {
    service(LeaderboardService, {
      async *watchRank(_, context) {
        yield update(1n);
        await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
      },
    });
  });
  const end = new AbortController();
  const ranks: bigint[] = [];
  for await (const { rank } of watchRank(connect(transport).leaderboards, "ada", [], end.signal)) {
    ranks.push(rank);
    end.abort();
  }
  assert.deepEqual(ranks, [1n]);
});
