/** What the panels are made of: tables, tiles, dialogs with fields, and what to show while waiting or after a failure. */
import { useToken } from "../shared/api.js";
import { h, note } from "../shared/dom.js";

const ACTOR = "laurel.actor";

/** Returns who acts, as the header says; kept with every change that an operator makes. */
export function actor() {
  return localStorage.getItem(ACTOR) ?? "";
}

/** Connects the field in the header that says who acts. */
export function actorField(input) {
  input.value = actor();
  input.addEventListener("input", () => localStorage.setItem(ACTOR, input.value.trim()));
}

/** Returns a panel: a title, what can be done, a sentence, and its content. */
export function panel(title, { deeds = [], text = "" } = {}, ...content) {
  const head = h("header", { class: "panel-head" }, h("h1", {}, title), h("div", { class: "deeds" }, deeds), text && h("p", {}, text));
  return h("div", { class: "panel" }, head, content);
}

/** Returns a titled part of a panel. */
export function section(title, ...content) {
  return h("section", { class: "section" }, h("h2", {}, title), content);
}

/** Returns a button. */
export function button(text, onclick, kind = "") {
  return h("button", { class: `button ${kind}`, type: "button", onclick }, text);
}

/** Returns a small mark; `mood` is good, warn, bad or empty. */
export function chip(text, mood = "") {
  return h("span", { class: `chip ${mood}` }, text);
}

/** Returns a line of figures: pairs of a name and what to show. */
export function tiles(pairs) {
  return h("dl", { class: "tiles" }, pairs.map(([name, value]) =>
    h("div", { class: "tile" }, h("dt", {}, name), h("dd", { class: typeof value === "string" && /\p{L}/u.test(value) ? "small" : "" }, value))));
}

/**
 * Returns a table. A column is `{ title, cell, kind }`: `cell` makes the content of a row's cell, `kind` is a class such
 * as `right` or `wrap`. Without rows it shows `empty`.
 */
export function table(columns, rows, empty = "There is nothing here yet") {
  if (!rows.length) return h("div", { class: "card" }, note(empty));
  const head = columns.map(({ title, kind }) => h("th", { scope: "col", class: kind }, title));
  const body = rows.map((row) => h("tr", {}, columns.map(({ cell, kind }) => h("td", { class: kind }, cell(row)))));
  return h("div", { class: "card" }, h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Table" },
    h("table", {}, h("thead", {}, h("tr", {}, head)), h("tbody", {}, body))));
}

/** Returns a table that fetches page after page: `fetchPage(token)` answers `{ rows, next }`. */
export async function pagedTable(columns, fetchPage, empty) {
  const first = await fetchPage("");
  const element = table(columns, first.rows, empty);
  if (!first.next) return element;
  let next = first.next;
  const more = button("Show more", () => whileBusy(more, async () => {
    const page = await fetchPage(next);
    element.querySelector("tbody").append(...page.rows.map((row) =>
      h("tr", {}, columns.map(({ cell, kind }) => h("td", { class: kind }, cell(row))))));
    next = page.next;
    if (!next) more.parentElement.remove();
  }));
  element.append(h("div", { class: "foot" }, more));
  return element;
}

/** Shows in `place` what `make` resolves to, with a sign of waiting before and the reason if it fails. */
export async function showIn(place, make) {
  const turn = Symbol();
  place.turn = turn;
  const waiting = setTimeout(() => place.turn === turn && place.replaceChildren(h("p", { class: "wait" }, "Loading")), 150);
  let content;
  try {
    content = await make();
  } catch (error) {
    content = failure(error, () => showIn(place, make));
  }
  clearTimeout(waiting);
  if (place.turn === turn) place.replaceChildren(content);
}

/** Disables a button while something runs; a failure becomes a toast. */
export async function whileBusy(trigger, run) {
  trigger.disabled = true;
  try {
    return await run();
  } catch (error) {
    toast(error.message);
  } finally {
    trigger.disabled = false;
  }
  return undefined;
}

/** Says something at the lower edge for some seconds; screen readers say it because the element was there before. */
export function toast(text) {
  const element = document.getElementById("toast");
  element.textContent = text;
  clearTimeout(element.timer);
  element.timer = setTimeout(() => { element.textContent = ""; }, 6000);
}

/**
 * Asks for values in a dialog and gives them to `submit`; an error of it is shown and the dialog stays. A field is
 * `{ name, label, type, value, options, required, hint, wide }`; `type` is text, number, textarea, select, time or check.
 */
export function ask({ title, text = "", fields = [], confirm = "Save", danger = false, submit }) {
  const wrong = h("p", { class: "wrong", role: "alert" });
  const go = h("button", { class: `button ${danger ? "danger" : "main"}`, type: "submit" }, confirm);
  const form = h("form", { method: "dialog" }, h("h2", {}, title), text && h("p", { class: "explain" }, text),
    h("div", { class: "fields" }, fields.map(fieldOf)), wrong,
    h("div", { class: "ends" }, button("Cancel", () => dialog.close()), go));
  const dialog = h("dialog", { class: fields.length > 5 ? "wide" : "", "aria-label": title }, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    wrong.textContent = "";
    go.disabled = true;
    try {
      await submit(valuesOf(form, fields));
      dialog.close();
    } catch (error) {
      wrong.textContent = error.message;
    } finally {
      go.disabled = false;
    }
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

function fieldOf({ name, label, type = "text", value = "", options, required, hint, wide }) {
  if (type === "check") return h("label", { class: "check" }, h("input", { type: "checkbox", name, checked: Boolean(value) }), label);
  const common = { class: "input", name, required };
  const makers = {
    textarea: () => h("textarea", { ...common, value }),
    select: () => h("select", { ...common, value: undefined }, Object.entries(options).map(([key, text]) => h("option", { value: key, selected: key === value }, text))),
    time: () => h("input", { ...common, type: "datetime-local", step: "1", value: localTime(value) }),
    number: () => h("input", { ...common, inputmode: "numeric", pattern: "-?[0-9]*", value: String(value) }),
    text: () => h("input", { ...common, autocomplete: "off", spellcheck: "false", value }),
  };
  return h("label", { class: `field ${wide ? "wide" : ""}` }, label, makers[type](), hint && h("small", {}, hint));
}

function valuesOf(form, fields) {
  const given = new FormData(form);
  return Object.fromEntries(fields.map(({ name, type }) => {
    if (type === "check") return [name, given.has(name)];
    const text = given.get(name).trim();
    return [name, type === "time" && text ? new Date(text).toISOString() : text];
  }));
}

/** Returns a moment of the contract for a field, in local time. */
function localTime(value) {
  if (!value) return "";
  const moment = new Date(value);
  return new Date(moment - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

function failure(error, again) {
  if (!error.asksForToken) return h("div", { class: "card" }, note("This cannot be shown", error.message, button("Try again", again)));
  const enter = () => ask({
    title: "Who is asking?",
    text: "A token with the scope admin. It is kept in this tab only.",
    fields: [{ name: "token", label: "Token", required: true, wide: true }],
    confirm: "Continue",
    submit: async ({ token }) => { useToken(token); again(); },
  });
  return h("div", { class: "card" }, note("This takes a token", error.message, button("Enter a token", enter, "main")));
}
