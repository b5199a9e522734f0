/** How numbers and times are written, the same on every page. What is not there is "-", never 0; `parts/none.tsx` adds why. */

export const NOTHING = "-";
const MINUS = "\u2212";

/** 1234.5 -> "1,234.5". */
export function number(value: number | null | undefined, digits = 0): string {
  if (value == null || !Number.isFinite(value)) return NOTHING;
  const written = Math.abs(value).toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  // What rounds to nothing has no sign.
  return value < 0 && /[1-9]/.test(written) ? `${MINUS}${written}` : written;
}

/** 0.123 -> "+0.12": differences and sentiment. */
export function signed(value: number | null | undefined, digits = 2): string {
  const written = number(value, digits);
  return value != null && value > 0 && /[1-9]/.test(written) ? `+${written}` : written;
}

/** 0.123 -> "12 %". What is more than nothing and less than all is never written as nothing or all. */
export function percent(value: number | null | undefined, digits = 0): string {
  if (value == null || !Number.isFinite(value)) return NOTHING;
  const step = 10 ** -digits;
  const shown = 100 * value;
  if (shown > 0 && shown < step / 2) return `< ${number(step, digits)} %`;
  if (shown < 100 && shown > 100 - step / 2) return `> ${number(100 - step, digits)} %`;
  return `${number(shown, digits)} %`;
}

/** 0.834 -> "0.8 ms", 12.3 -> "12 ms", 1234 -> "1.2 s". */
export function milliseconds(value: number | null | undefined): string {
  if (value == null || !Number.isFinite(value)) return NOTHING;
  if (value >= 1000) return `${number(value / 1000, 1)} s`;
  return `${number(value, value < 10 ? 1 : 0)} ms`;
}

/** 92_000_000 -> "92 MB". */
export function bytes(value: number | null | undefined): string {
  if (value == null || !Number.isFinite(value)) return NOTHING;
  const units = ["B", "kB", "MB", "GB", "TB"];
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, value)) / 3)));
  const shown = value / 1000 ** step;
  return `${number(shown, step > 0 && shown < 10 ? 1 : 0)} ${units[step]}`;
}

/** "1 story", "3 stories". */
export const counted = (count: number, one: string, many = `${one}s`): string => `${number(count)} ${count === 1 ? one : many}`;

/** 75 -> "1 min", 7300 -> "2 h": the largest unit alone. */
export function duration(seconds: number): string {
  if (seconds < 1) return "under 1 s";
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} days`;
}

const day = (at: Date) => at.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
const clock = (at: Date) => at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });

/** "14:32" today, "27 Nov 14:32" this year, "27 Nov 2025" before; in the reader's time zone. */
export function moment(at: Date, now: Date): string {
  if (at.toDateString() === now.toDateString()) return clock(at);
  return at.getFullYear() === now.getFullYear() ? `${day(at)} ${clock(at)}` : `${day(at)} ${at.getFullYear()}`;
}

/** "12 s ago"; "just now" also for what a clock that is ahead dates a little later than now. */
export function ago(at: Date, now: Date): string {
  const seconds = (now.getTime() - at.getTime()) / 1000;
  if (seconds < -60) return `in ${duration(-seconds)}`;
  return seconds < 5 ? "just now" : `${duration(seconds)} ago`;
}

/** In full, with the zone: for tooltips and tables. */
export const inFull = (at: Date): string =>
  at.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" }) + ` (${at.toISOString().slice(0, 19)}Z)`;

/** `bad_cursor` -> "bad cursor": codes as words. */
export const words = (code: string): string => code.replaceAll("_", " ");
