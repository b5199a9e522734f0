/** Every hour, day or week of a window: those in which nothing was asked are absent in the answer, and a line must not run over them. */
import type { Schemas } from "../../api/client";

type Unit = Schemas["ServiceReport"]["unit"];

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const LENGTH_MS: Record<Unit, number> = { hour: HOUR_MS, day: DAY_MS, week: 7 * DAY_MS };
/** 1970 began on a Thursday, weeks begin on Monday. */
const FIRST_MONDAY_MS = 4 * DAY_MS;

export interface Period<Counts> {
  at: string;
  /** Null: nothing was asked. */
  counts: Counts | null;
}

/** The periods from `from` to `until` in their order, each with what was counted in it. Whatever has another start is kept as well. */
export function everyPeriod<Counts extends { start: string }>(counted: readonly Counts[], unit: Unit, from: string, until: string): Period<Counts>[] {
  const length = LENGTH_MS[unit] ?? HOUR_MS;
  const offset = unit === "week" ? FIRST_MONDAY_MS : 0;
  const first = Math.floor((Date.parse(from) - offset) / length) * length + offset;
  const byStart = new Map<number, Counts | null>();
  for (let start = first; start <= Date.parse(until); start += length) byStart.set(start, null);
  for (const counts of counted) byStart.set(Date.parse(counts.start), counts);
  return [...byStart].sort(([a], [b]) => a - b).map(([start, counts]) => ({ at: new Date(start).toISOString(), counts }));
}
