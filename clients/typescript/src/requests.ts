import { create } from "@bufbuild/protobuf";

import { BoardRefSchema, Period, type BoardRef } from "./gen/laurel/type/v1/board_pb.js";

const periods = {
  daily: Period.DAILY,
  weekly: Period.WEEKLY,
  monthly: Period.MONTHLY,
  quarterly: Period.QUARTERLY,
  yearly: Period.YEARLY,
  all: Period.ALL_TIME,
} as const;

export type PeriodName = keyof typeof periods;

/** The name of a board: the current one of its period, or that of `periodId` such as `2026-W48`. */
export function board(scope = "global", period: PeriodName = "all", periodId = ""): BoardRef {
  return create(BoardRefSchema, { scope, period: periods[period], periodId });
}

/** An idempotency key that nobody else has: a request sent again under it counts once. */
export function newRequestId(): string {
  return crypto.randomUUID();
}
