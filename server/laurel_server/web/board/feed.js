/** What just happened on the board, as sentences. */
import { face, h, nameOf } from "../shared/dom.js";
import { ago, number, signed } from "../shared/format.js";

const LENGTH = 7;
const PAUSE_BETWEEN_SPOKEN = 10_000;

/** Returns what changed between two states of a board, the most telling first; entries are by user id. */
export function news(before, entries) {
  const told = [];
  for (const entry of entries) {
    const was = before.get(entry.userId);
    const [rank, points] = [Number(entry.rank), BigInt(entry.score) - BigInt(was?.score ?? 0)];
    if (!was) told.push({ entry, weight: 1000 - rank, text: `is new at rank ${number(rank)}` });
    else if (rank < Number(was.rank)) told.push({ entry, weight: 2000 - rank, text: climbed(Number(was.rank), rank, points) });
    else if (points > 0n) told.push({ entry, weight: -rank, text: `earned ${signed(points)}` });
  }
  return told.sort((one, other) => other.weight - one.weight);
}

function climbed(was, rank, points) {
  const how = rank === 1 ? "took the lead" : `moved up ${number(was - rank)} to rank ${number(rank)}`;
  return points > 0n ? `${how} with ${signed(points)}` : how;
}

/** Shows the news in `list`, and speaks the main one now and then through `spoken`. */
export class Feed {
  #list;
  #quiet;
  #spoken;
  #spokenAt = -Infinity;

  constructor(list, quiet, spoken) {
    this.#list = list;
    this.#quiet = quiet;
    this.#spoken = spoken;
  }

  /** Forgets what was said of another board. */
  clear() {
    this.#list.replaceChildren();
    this.#quiet.hidden = false;
  }

  /** Adds news, the latest first. */
  add(told, now = Date.now()) {
    const lines = told.slice(0, 3).map(({ entry, text }) => h("li", {}, face(entry, "2rem"),
      h("span", {}, h("strong", {}, nameOf(entry)), ` ${text}`), h("time", { "data-at": now }, "now")));
    this.#list.prepend(...lines);
    while (this.#list.children.length > LENGTH) this.#list.lastChild.remove();
    if (lines.length) this.#quiet.hidden = true;
    if (told.length && now - this.#spokenAt > PAUSE_BETWEEN_SPOKEN) {
      this.#spokenAt = now;
      this.#spoken.textContent = `${nameOf(told[0].entry)} ${told[0].text}`;
    }
  }

  /** Says anew how long ago each was. */
  refresh(now = Date.now()) {
    for (const element of this.#list.querySelectorAll("time")) {
      const at = Number(element.dataset.at);
      element.textContent = now - at < 5000 ? "now" : ago(at, now);
    }
  }
}
