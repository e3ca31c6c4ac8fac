/** Numbers and times as people read them, in the language of the browser. */

const whole = new Intl.NumberFormat();
const percent = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

/** Returns a count or points; 64-bit numbers come as strings and stay exact. */
export function number(value) {
  return whole.format(BigInt(value ?? 0));
}

/** Returns a number and what it counts: `1 point`, `2,500 points`. */
export function counted(value, noun) {
  return `${number(value)} ${noun}${BigInt(value ?? 0) === 1n ? "" : "s"}`;
}

/** Returns a change of points with its sign. */
export function signed(value) {
  const points = BigInt(value ?? 0);
  return points > 0n ? `+${whole.format(points)}` : whole.format(points).replace("-", "\u2212");
}

/** Returns a share such as `0.01 %`. */
export function share(value) {
  return `${percent.format(value)} %`;
}

/** Returns a moment of the contract in local time; a dash for none. */
export function time(value) {
  return value ? moment.format(new Date(value)) : "\u2013";
}

/** Returns how long ago, or until, a moment is. */
export function ago(value, now = Date.now()) {
  const seconds = (new Date(value) - now) / 1000;
  const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const [unit, size] = units.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
  return relative.format(Math.round(seconds / size), unit);
}

/** Returns the time that is left: `2 d 4 h`, `3 h 12 min`, `4 min 09 s`. */
export function left(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [days, hours] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24];
  const [minutes, rest] = [Math.floor(seconds / 60) % 60, seconds % 60];
  if (days) return `${days} d ${hours} h`;
  if (hours) return `${hours} h ${minutes} min`;
  return `${minutes} min ${String(rest).padStart(2, "0")} s`;
}

/** Returns an enum value of the contract as a word: `PERIOD_ALL_TIME`, `PERIOD_` -> `All time`. */
export function word(value, prefix = "") {
  const text = (value ?? "").replace(prefix, "").replaceAll("_", " ").toLowerCase();
  return text && text !== "unspecified" ? text[0].toUpperCase() + text.slice(1) : "";
}
