// Times as people read them, in the reader's own zone.

const format = (options) => new Intl.DateTimeFormat("en-US", options);
const CLOCK = format({ hour: "numeric", minute: "2-digit" });
const FULL = format({ weekday: "long", month: "long", day: "numeric", hour: "numeric", minute: "2-digit", second: "2-digit" });
const DAY = format({ weekday: "long", month: "long", day: "numeric" });
const DAY_OF_YEAR = format({ month: "long", day: "numeric", year: "numeric" });
const SHORT_DAY = format({ month: "short", day: "numeric" });

export const dateOf = (ts) => new Date(Number.parseFloat(ts) * 1000);
export const clock = (ts) => CLOCK.format(dateOf(ts));
export const fullTime = (ts) => FULL.format(dateOf(ts));
export const dayKey = (ts) => dateOf(ts).toDateString();

function daysAgo(date) {
  const midnight = (day) => new Date(day.getFullYear(), day.getMonth(), day.getDate()).getTime();
  return Math.round((midnight(new Date()) - midnight(date)) / 86_400_000);
}

export function dayName(ts) {
  const date = dateOf(ts);
  const ago = daysAgo(date);
  if (ago === 0) return "Today";
  if (ago === 1) return "Yesterday";
  return ago > 300 ? DAY_OF_YEAR.format(date) : DAY.format(date);
}

export function ago(ts) {
  const seconds = Math.max(0, Date.now() / 1000 - Number.parseFloat(ts));
  if (seconds < 60) return "just now";
  if (seconds < 3600) return plural(Math.floor(seconds / 60), "minute") + " ago";
  const date = dateOf(ts);
  const days = daysAgo(date);
  if (days === 0) return `today at ${clock(ts)}`;
  return days === 1 ? `yesterday at ${clock(ts)}` : `${SHORT_DAY.format(date)} at ${clock(ts)}`;
}

export const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

export function size(bytes) {
  if (!Number.isFinite(bytes)) return "";
  const units = ["B", "kB", "MB", "GB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) (value /= 1000), (unit += 1);
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

const TOKENS = {
  date_num: (day) => new Intl.DateTimeFormat("sv-SE").format(day),
  date: (day) => DAY_OF_YEAR.format(day),
  date_slash: (day) => format({ dateStyle: "short" }).format(day),
  date_short: (day) => format({ month: "short", day: "numeric", year: "numeric" }).format(day),
  date_long: (day) => format({ dateStyle: "full" }).format(day),
  time: (day) => CLOCK.format(day),
  time_secs: (day) => format({ timeStyle: "medium" }).format(day),
  ago: (day) => ago(day.getTime() / 1000),
  day_divider_pretty: (day) => dayName(day.getTime() / 1000),
};

/** Slack's date tokens: "{date_short} at {time}"; `…_pretty` says today and yesterday. */
export function tokenTime(seconds, pattern, fallback) {
  const day = new Date(Number(seconds) * 1000);
  if (Number.isNaN(day.getTime())) return fallback || "";
  return pattern.replace(/\{(\w+)\}/g, (whole, name) => {
    const plain = name.replace(/_pretty$/, "");
    const away = daysAgo(day);
    if (name.endsWith("_pretty") && away === 0) return "today";
    if (name.endsWith("_pretty") && away === 1) return "yesterday";
    return TOKENS[name] ? TOKENS[name](day) : TOKENS[plain] ? TOKENS[plain](day) : whole;
  });
}
