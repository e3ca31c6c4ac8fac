/** The client of Laurel over any transport of Connect: gRPC from Node, gRPC-Web from a browser. */
export { connect, withToken, type Laurel } from "./connect.js";
export { reasonOf, retryAfter } from "./errors.js";
export { board, newRequestId, type PeriodName } from "./requests.js";
export { watchLeaderboard, watchRank, type Top } from "./watch.js";
