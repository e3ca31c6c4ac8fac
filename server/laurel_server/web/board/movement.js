/** Who moved within the last minute. */

const WINDOW = 60_000;

/** Remembers the ranks of one board. Times are milliseconds. */
export class Movement {
  #ranks = new Map(); // user id -> [{ at, rank }], oldest first; the first is the newest from before the window
  #since;

  /** Forgets everything: another board, or another period. */
  reset(now) {
    this.#ranks.clear();
    this.#since = now;
  }

  /** Takes over who stands where. Who is not among them keeps no past: to come back is to be new. */
  note(entries, now) {
    const present = new Set();
    for (const { userId, rank } of entries) {
      present.add(userId);
      const past = this.#ranks.get(userId) ?? this.#ranks.set(userId, []).get(userId);
      if (past.at(-1)?.rank !== Number(rank)) past.push({ at: now, rank: Number(rank) });
      while (past.length > 1 && past[1].at <= now - WINDOW) past.shift();
    }
    for (const userId of this.#ranks.keys()) if (!present.has(userId)) this.#ranks.delete(userId);
  }

  /** Returns by how many ranks a user has moved up, negative for down; `new` for who has just come onto the board. */
  of(userId, now) {
    const past = this.#ranks.get(userId);
    if (!past) return 0;
    const came = past[0].at;
    if (past.length === 1 && came > this.#since && came > now - WINDOW) return "new";
    const before = past.findLast(({ at }) => at <= now - WINDOW) ?? past[0];
    return before.rank - past.at(-1).rank;
  }
}
