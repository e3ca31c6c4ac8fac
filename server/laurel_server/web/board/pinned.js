/** The line at the bottom: where the one who is followed stands, also when others move. */
import { get, watch } from "../shared/api.js";
import { face, h, icon, nameOf } from "../shared/dom.js";
import { counted, number, share } from "../shared/format.js";

/**
 * Keeps `element` up to date for one user on one board at a time, and speaks through `spoken` when the rank changes;
 * `onLeave` is called when it is closed.
 */
export class Pinned {
  #element;
  #spoken;
  #onLeave;
  #following = new AbortController();
  #news; // of the watch, that is not told yet
  #isTelling = false;

  constructor(element, spoken, onLeave) {
    this.#element = element;
    this.#spoken = spoken;
    this.#onLeave = onLeave;
  }

  /** Follows another user or board; an empty user id follows nobody. */
  follow(userId, board) {
    this.#following.abort();
    this.#following = new AbortController();
    this.#element.hidden = !userId;
    this.#spoken.textContent = "";
    document.body.classList.toggle("follows", Boolean(userId));
    if (userId) this.#run(userId, board, this.#following.signal);
  }

  async #run(userId, board, signal) {
    this.#show(userId, undefined, "\u2026");
    const query = { "board.scope": board.scope, "board.period": board.period };
    try {
      await watch(`/api/v1/leaderboard/rank/${encodeURIComponent(userId)}/watch`, query, {
        signal,
        onMessage: ({ update }) => update && this.#tell({ userId, board, message: update.message, signal }),
      });
    } catch (error) {
      if (!signal.aborted) this.#show(userId, undefined, said(error));
    }
  }

  /** Tells what is newest, one after another: an answer that comes late must not stand in the place of a newer one. */
  async #tell(news) {
    this.#news = news;
    if (this.#isTelling) return;
    this.#isTelling = true;
    try {
      while (this.#news) {
        const newest = this.#news;
        this.#news = undefined;
        await this.#tellOf(newest);
      }
    } finally {
      this.#isTelling = false;
    }
  }

  async #tellOf({ userId, board, message, signal }) {
    const query = { "board.scope": board.scope, "board.period": board.period, range: 1 };
    try {
      const around = await get(`/api/v1/leaderboard/surrounding/${encodeURIComponent(userId)}`, query, signal);
      const next = Number(around.nextRank?.rank)
        ? `${counted(around.nextRank.pointsNeeded, "point")} to rank ${number(around.nextRank.rank)}`
        : "Nobody is ahead";
      this.#show(userId, around, [message, next, `top ${share(around.topPercent)}`].filter(Boolean).join(" \u00b7 "));
      if (message) this.#speak(userId, around, message);
    } catch (error) {
      if (!signal.aborted) this.#show(userId, undefined, said(error));
    }
  }

  #speak(userId, around, message) {
    const who = nameOf(entryOf(userId, around));
    this.#spoken.textContent = `${who} is at rank ${number(around.rank)} of ${number(around.totalParticipants)}. ${message}`;
  }

  #show(userId, around, text) {
    const entry = entryOf(userId, around);
    const hasFocus = this.#element.contains(document.activeElement);
    this.#element.replaceChildren(
      h("span", { class: "place number" }, h("span", { class: "unseen" }, "Rank "), around ? number(around.rank) : "\u2013"),
      face(entry),
      h("span", { class: "who" }, h("strong", {}, nameOf(entry)), h("span", { title: text }, text)),
      h("span", { class: "points number" }, around ? number(around.score) : "", around && h("span", {}, `of ${number(around.totalParticipants)}`)),
      h("button", { class: "button quiet round", type: "button", "aria-label": `Follow ${nameOf(entry)} no more`, onclick: this.#onLeave }, icon("close")),
    );
    if (hasFocus) this.#element.querySelector("button").focus({ preventScroll: true });
  }
}

function entryOf(userId, around) {
  return around?.entries.find((each) => each.userId === userId) ?? { userId };
}

function said(error) {
  if (error.reason === "USER_NOT_FOUND") return "Nobody has this id yet: the first award makes it known";
  if (error.reason === "NOT_ON_BOARD") return "Not on this board yet";
  return error.message;
}
