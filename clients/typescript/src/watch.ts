/** Watches that go on over broken connections and restarts of the server. */
import { Code, ConnectError, type Client } from "@connectrpc/connect";

import { reasonOf, retryAfter } from "./errors.js";
import type { LeaderboardEntry } from "./gen/laurel/leaderboard/v1/leaderboard_pb.js";
import type { LeaderboardService } from "./gen/laurel/leaderboard/v1/leaderboard_service_pb.js";
import type { Delta, RankUpdate, Snapshot } from "./gen/laurel/leaderboard/v1/watch_pb.js";
import type { BoardRef } from "./gen/laurel/type/v1/board_pb.js";

const firstPause = 100;
const longestPause = 5000;
// Canceled by a server that stops in the moment in which the watch begins; who aborts it himself gets no error.
const passing = new Set([Code.Unavailable, Code.Canceled, Code.ResourceExhausted, Code.DeadlineExceeded]);

type Leaderboards = Pick<Client<typeof LeaderboardService>, "watchRank" | "watchLeaderboard">;

/** What every message of a watch carries beside its event. */
interface Message {
  resumeToken: string;
  event: { case: string | undefined };
}

/** The best of a board at one moment, best first, and how many users it lists in all. */
export interface Top {
  readonly board: BoardRef | undefined;
  readonly entries: readonly LeaderboardEntry[];
  readonly totalParticipants: bigint;
}

/**
 * Yields where a user stands on each board (none: global all-time), then every change, until `signal` aborts.
 * Throws what will not pass, such as an unknown user.
 */
export async function* watchRank(
  client: Leaderboards,
  userId: string,
  boards: BoardRef[] = [],
  signal: AbortSignal = new AbortController().signal,
): AsyncGenerator<RankUpdate> {
  const open = (resumeToken: string) => client.watchRank({ userId, boards, resumeToken }, { signal });
  for await (const message of resumed(open, signal)) {
    if (message.event.case === "update") yield message.event.value;
  }
}

/** Yields the best `topN` of a board, at most 100, as they are and after every change, until `signal` aborts. */
export async function* watchLeaderboard(
  client: Leaderboards,
  board?: BoardRef,
  topN = 10,
  signal: AbortSignal = new AbortController().signal,
): AsyncGenerator<Top> {
  const open = (resumeToken: string) => client.watchLeaderboard({ board, topN, resumeToken }, { signal });
  let top: Top = { board: undefined, entries: [], totalParticipants: 0n };
  for await (const { event } of resumed(open, signal)) {
    if (event.case === "snapshot") top = whole(event.value);
    else if (event.case === "delta") top = changed(top, event.value);
    else continue;
    yield top;
  }
}

/** Yields the messages of one stream after the other, each opened where the one before it ended. */
async function* resumed<M extends Message>(
  open: (resumeToken: string) => AsyncIterable<M>,
  signal: AbortSignal,
): AsyncGenerator<M> {
  let token = "";
  let pause = firstPause;
  while (!signal.aborted) {
    let wanted = 0;
    try {
      for await (const message of open(token)) {
        token = message.resumeToken;
        pause = firstPause;
        if (message.event.case === "end") break;
        yield message;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (reasonOf(error) === "PAGE_TOKEN_INVALID" && token) token = "";
      else if (passing.has(ConnectError.from(error).code)) wanted = retryAfter(error) ?? 0;
      else throw error;
    }
    // Spread, so that watchers do not come back together.
    await rest(Math.max(wanted, pause) * (0.5 + Math.random()), signal);
    pause = Math.min(2 * pause, longestPause);
  }
}

function rest(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done);
  });
}

function whole({ board, entries, totalParticipants }: Snapshot): Top {
  return { board, entries, totalParticipants };
}

function changed(top: Top, delta: Delta): Top {
  const lines = new Map(top.entries.map((entry) => [entry.userId, entry]));
  for (const userId of delta.removed) lines.delete(userId);
  for (const entry of delta.changed) lines.set(entry.userId, entry);
  const entries = [...lines.values()].sort((one, other) => Number(one.rank - other.rank));
  return { board: top.board, entries, totalParticipants: delta.totalParticipants };
}
