/** The lines of the board. Rows are kept and glide to their new places. */
import { face, h, icon, nameOf, tierChip, tierClass } from "../shared/dom.js";
import { number, signed, word } from "../shared/format.js";

const calm = matchMedia("(prefers-reduced-motion: reduce)");
const GLIDE = { duration: 520, easing: "cubic-bezier(0.22, 0.9, 0.24, 1)" };

/** Shows entries in `list`; `onChoose` is called with the user id of a row that is chosen. */
export class BoardList {
  #list;
  #onChoose;
  #rows = new Map();

  constructor(list, onChoose) {
    this.#list = list;
    this.#onChoose = onChoose;
  }

  /** Shows that the board is on its way. */
  wait() {
    this.#rows.clear();
    this.#list.setAttribute("aria-busy", "true");
    this.#list.replaceChildren(...Array.from({ length: 8 }, () => h("li", { class: "ghost", "aria-hidden": "true" })));
  }

  /** Shows `entries`, best first; `followed` is set off; `moved` tells by how much a user moved. */
  show(entries, followed, moved) {
    const before = this.#positions();
    const best = Number(entries[0]?.score ?? 0);
    const rows = entries.map((entry) => this.#row(entry, entry.userId === followed, moved(entry.userId), best));
    const ids = new Set(entries.map(({ userId }) => userId));
    for (const userId of [...this.#rows.keys()]) if (!ids.has(userId)) this.#rows.delete(userId);
    this.#place(rows.map(({ element }) => element));
    this.#list.removeAttribute("aria-busy");
    this.#glide(before);
  }

  /** Shows the movement anew: it fades with time. */
  refresh(moved) {
    for (const [userId, row] of this.#rows) showMovement(row, moved(userId));
  }

  #row(entry, isFollowed, moved, best) {
    const row = this.#rows.get(entry.userId) ?? this.#newRow(entry);
    const rank = number(entry.rank);
    row.element.className = `row tier ${tierClass(entry.tier)}${isFollowed ? " mine" : ""}`;
    row.element.dataset.place = entry.rank;
    row.element.style.setProperty("--part", best > 0 ? Math.min(1, Math.max(0, Number(entry.score) / best)) : 0);
    row.rank.replaceChildren(h("span", { class: "unseen" }, "Rank "), rank);
    row.name.textContent = nameOf(entry);
    row.about.replaceChildren(...[tierChip(entry.tier), entry.country && h("span", {}, entry.country), ...badges(entry)].filter(Boolean));
    if (row.face.dataset.of !== `${entry.tier} ${entry.avatarUrl}`) this.#newFace(row, entry);
    showMovement(row, moved);
    showScore(row, BigInt(entry.score));
    return row;
  }

  #newRow(entry) {
    const row = {
      rank: h("span", { class: "rank number" }),
      move: h("span", { class: "move" }),
      face: h("span"),
      name: h("button", { class: "name", type: "button", onclick: () => this.#onChoose(entry.userId) }),
      about: h("span", { class: "about" }),
      points: h("span", { class: "points number" }),
    };
    row.element = h("li", {}, row.rank, row.move,
      h("span", { class: "player" }, row.face, h("span", { class: "who" }, row.name, row.about)), row.points);
    this.#rows.set(entry.userId, row);
    return row;
  }

  #newFace(row, entry) {
    const picture = face(entry);
    picture.dataset.of = `${entry.tier} ${entry.avatarUrl}`;
    row.face.replaceWith(picture);
    row.face = picture;
  }

  /** Puts the rows in order. Only those that move are touched: what is taken out loses the focus of the keyboard. */
  #place(elements) {
    const focused = document.activeElement;
    const wanted = new Set(elements);
    for (const other of [...this.#list.children]) if (!wanted.has(other)) other.remove();
    elements.forEach((element, at) => {
      const there = this.#list.children[at];
      if (there !== element) this.#list.insertBefore(element, there ?? null);
    });
    if (focused !== document.activeElement && this.#list.contains(focused)) focused.focus({ preventScroll: true });
  }

  #positions() {
    return new Map([...this.#rows].map(([userId, { element }]) => [userId, element.getBoundingClientRect().top]));
  }

  /** Lets every row glide from where it was: first, last, invert, play. */
  #glide(before) {
    if (calm.matches || before.size === 0) return;
    for (const [userId, { element }] of this.#rows) {
      element.getAnimations().filter(({ id }) => id === "glide").forEach((animation) => animation.cancel());
      const from = before.get(userId);
      const distance = from === undefined ? 24 : from - element.getBoundingClientRect().top;
      if (Math.abs(distance) < 1) continue;
      const start = { transform: `translateY(${distance}px)`, ...(from === undefined && { opacity: 0 }) };
      element.classList.toggle("rising", distance > 0 && from !== undefined);
      const animation = element.animate([start, { transform: "none" }], GLIDE);
      animation.id = "glide";
      animation.onfinish = () => element.classList.remove("rising");
    }
  }
}

function showMovement(row, moved) {
  const key = String(moved);
  if (row.move.dataset.moved === key) return;
  row.move.dataset.moved = key;
  row.move.className = `move number ${moved === "new" ? "new" : moved > 0 ? "up" : moved < 0 ? "down" : ""}`;
  if (!moved) row.move.replaceChildren();
  else if (moved === "new") row.move.replaceChildren("NEW");
  else {
    const said = h("span", { class: "unseen" }, moved > 0 ? "up " : "down ");
    row.move.replaceChildren(icon(moved > 0 ? "up" : "down"), said, number(Math.abs(moved)));
  }
}

/** Counts to the new score and shows the difference for a moment. */
function showScore(row, score) {
  const before = row.score;
  row.score = score;
  if (before === undefined || before === score || calm.matches) {
    row.points.textContent = number(score);
    return;
  }
  const started = performance.now();
  const gain = h("span", { class: "gain", "aria-hidden": "true" }, signed(score - before));
  const draw = (now) => {
    if (row.score !== score) return; // a newer score has taken over
    const part = Math.min(1, (now - started) / 600);
    const eased = 1 - (1 - part) ** 3;
    row.points.firstChild.textContent = number(before + BigInt(Math.round(Number(score - before) * eased)));
    if (part < 1) requestAnimationFrame(draw);
  };
  row.points.replaceChildren(number(before), gain);
  gain.animate([{ opacity: 0, transform: "translateY(6px)" }, { opacity: 1, transform: "none", offset: 0.15 }, { opacity: 1, offset: 0.7 }, { opacity: 0 }], 2200)
    .onfinish = () => gain.remove();
  requestAnimationFrame(draw);
}

/** The one badge worth a place in a row: what many have says little about one. */
function badges(entry) {
  const telling = (entry.badges ?? []).find((badge) => !/^(POINTS_|EARLY_ADOPTER$)/.test(badge));
  return telling ? [h("span", { class: "chip badge" }, word(telling))] : [];
}
