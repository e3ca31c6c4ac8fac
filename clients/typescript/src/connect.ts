import { createClient, type Client, type Interceptor, type Transport } from "@connectrpc/connect";

import { AdminService } from "./gen/laurel/admin/v1/admin_service_pb.js";
import { LeaderboardService } from "./gen/laurel/leaderboard/v1/leaderboard_service_pb.js";
import { RankingService } from "./gen/laurel/ranking/v1/ranking_service_pb.js";
import { RewardsService } from "./gen/laurel/rewards/v1/rewards_service_pb.js";

/** A client for each service, with a method for each call. */
export interface Laurel {
  readonly rewards: Client<typeof RewardsService>;
  readonly leaderboards: Client<typeof LeaderboardService>;
  readonly ranking: Client<typeof RankingService>;
  readonly admin: Client<typeof AdminService>;
}

/** Returns the clients that call over `transport`. */
export function connect(transport: Transport): Laurel {
  return {
    rewards: createClient(RewardsService, transport),
    leaderboards: createClient(LeaderboardService, transport),
    ranking: createClient(RankingService, transport),
    admin: createClient(AdminService, transport),
  };
}

/** An interceptor for the transport that says who calls, where the server asks for that. */
export function withToken(token: string): Interceptor {
  return (next) => (request) => {
    request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };
}
