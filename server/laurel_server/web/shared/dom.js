/** Making elements. Text goes in as text, never as markup: names come from outside. */

/**
 * Returns a new element. `props` are attributes; `class`, `onclick` and the like are taken as expected, and what is
 * null, undefined or false is left out. Children are nodes or text; what is null, undefined or false is left out.
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) set(element, name, value);
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function set(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (name === "value" || name === "checked") element[name] = value;
  else if (name === "style") for (const [key, one] of Object.entries(value)) element.style.setProperty(key, one);
  else element.setAttribute(name, value === true ? "" : value);
}

/** Returns the icon of that name out of the sprite in the page. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `/web/shared/icons.svg#${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

/** Returns what a list shows in place of lines: why there are none, and what can be done about it. */
export function note(title, text, action) {
  return h("div", { class: "note" }, icon("laurel"), h("strong", {}, title), text && h("p", {}, text), action);
}

/** Returns a person's round picture, with initials where there is none or it does not load. */
export function face(entry, size = "2.5rem") {
  const picture = /^https:\/\//.test(entry.avatarUrl ?? "") && h("img", { src: entry.avatarUrl, alt: "", loading: "lazy" });
  picture?.addEventListener?.("error", () => picture.remove());
  return h("span", { class: `face tier ${tierClass(entry.tier)}`, style: { "--size": size }, "aria-hidden": "true" },
    initials(nameOf(entry)), picture);
}

/** Returns the name that people know someone by. */
export function nameOf(entry) {
  return entry.username || entry.userId;
}

/** Returns a tier as a word, `Gold`; empty for none. */
export function tierName(tier) {
  const word = (tier ?? "").replace("TIER_", "").toLowerCase();
  return word && word !== "unspecified" ? word[0].toUpperCase() + word.slice(1) : "";
}

/** Returns the class that carries a tier's colour. */
export function tierClass(tier) {
  return `tier-${tierName(tier).toLowerCase() || "none"}`;
}

/** Returns a small mark with a tier's name in its colour; nothing for none. */
export function tierChip(tier) {
  return tierName(tier) ? h("span", { class: `chip tier ${tierClass(tier)}` }, tierName(tier)) : null;
}

function initials(name) {
  const words = name.replace(/[^\p{L}\p{N}]+/gu, " ").trim().split(" ");
  const letters = words.length > 1 ? words[0][0] + words.at(-1)[0] : (words[0] ?? "?").slice(0, 2);
  return letters.toUpperCase();
}
