/** Lists of rules: a table with a button a row, and one to add. */
import { get } from "../shared/api.js";
import { h } from "../shared/dom.js";
import { button, chip, panel, showIn, table, toast } from "./ui.js";

/** Reads every page of a list; `key` names its rows in the answer. */
export async function readAll(path, key, query = {}) {
  const rows = [];
  let pageToken = "";
  do {
    const page = await get(path, { ...query, pageSize: 1000, pageToken });
    rows.push(...page[key]);
    pageToken = page.nextPageToken;
  } while (pageToken);
  return rows;
}

/**
 * Returns the panel of a list that can be changed: `read` fetches the rows, `edit(row or null, done)` opens the form,
 * `stored` says what was done.
 */
export async function listPanel({ title, text, add, columns, read, edit, stored }) {
  const list = h("div");
  const done = (said) => { toast(said ?? stored); refresh(); };
  const change = (row) => h("span", {}, button("Edit", () => edit(row, done)));
  const refresh = () => showIn(list, async () => table([...columns, { title: "", cell: change, kind: "right" }], await read()));
  refresh();
  return panel(title, { text, deeds: [button(add, () => edit(null, done), "main")] }, list);
}

/** Returns the mark of what is switched on or off. */
export function onOff(active) {
  return active ? chip("active", "good") : chip("off");
}

/** Returns the words of a text that are separated by blanks or commas. */
export function words(text) {
  return text.split(/[\s,]+/).filter(Boolean);
}

/** Returns `BRONZE=1, GOLD=2` of a map, and back. */
export function pairsText(map) {
  return Object.entries(map ?? {}).map(([key, value]) => `${key}=${value}`).join(", ");
}

export function pairsOf(text) {
  return Object.fromEntries(words(text).map((pair) => pair.split("=")));
}

/** Returns a duration of the contract, `3600s`, as whole seconds, and back. */
export function secondsText(duration) {
  const seconds = Number.parseFloat(duration ?? "");
  return seconds ? String(seconds) : "";
}

export function durationOf(seconds) {
  return seconds ? `${seconds}s` : undefined;
}

/** Leaves out what is empty, so that the server sees it as unset. */
export function given(values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== "" && value !== undefined));
}
