/** Which board is shown and who is followed: kept in the address of the page, so that it can be shared. */
import { tierName } from "../shared/dom.js";

export const PERIODS = { daily: "Today", weekly: "This week", monthly: "This month", all: "All time" };

/** Periods that few Laurels have boards for: offered only where the address asks for one. */
export const RARE_PERIODS = { quarterly: "This quarter", yearly: "This year" };
const TIERS = ["bronze", "silver", "gold", "platinum", "diamond"];

/** Returns what the address says, with what is shown without it. */
export function placeOf(search) {
  const given = new URLSearchParams(search);
  const period = (given.get("period") ?? "weekly").toLowerCase();
  return { scope: given.get("scope") || "global", period: Object.hasOwn({ ...PERIODS, ...RARE_PERIODS }, period) ? period : "weekly", user: given.get("user") ?? "" };
}

/** Returns the address of a place. */
export function addressOf({ scope, period, user }) {
  return `?${new URLSearchParams({ scope, period, ...(user && { user }) })}`;
}

/** Returns the board as the contract names it. */
export function boardOf({ scope, period }) {
  return { scope, period: period === "all" ? "PERIOD_ALL_TIME" : `PERIOD_${period.toUpperCase()}` };
}

/** Returns what people call a scope: `tier:gold` -> `Gold tier`. */
export function scopeName(scope) {
  const [kind, value] = scope.split(/:(.*)/s);
  if (scope === "global") return "Global";
  if (kind === "country") return regionName(value);
  if (kind === "tier") return `${tierName(value.toUpperCase())} tier`;
  return value ?? scope;
}

/** Returns the scopes to choose from: `seen` are countries that were on a board, `current` is always among them. */
export function scopesToChoose(seen, current) {
  const groups = { "": ["global"], Tiers: TIERS.map((tier) => `tier:${tier}`), Countries: [...seen].sort().map((code) => `country:${code}`) };
  if (!Object.values(groups).flat().includes(current)) groups.Others = [current];
  return groups;
}

function regionName(code) {
  try {
    return new Intl.DisplayNames(undefined, { type: "region" }).of(code);
  } catch {
    return code; // not a code of a region
  }
}
