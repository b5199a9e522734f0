/** Domains of scales: the parts of drawing that can be wrong. */
import { extent } from "d3-array";

/** From the least to the greatest of what is there, a little wider; [0, 1] where nothing is, and never empty. */
export function domainOf(values: Iterable<number | null | undefined>, include: readonly number[] = []): [number, number] {
  const there = [...values, ...include].filter((value): value is number => typeof value === "number" && Number.isFinite(value));
  const [low, high] = extent(there);
  if (low === undefined || high === undefined) return [0, 1];
  if (low === high) return low === 0 ? [0, 1] : [low - Math.abs(low) / 2, high + Math.abs(high) / 2];
  const margin = (high - low) * 0.06;
  return [include.includes(low) ? low : low - margin, include.includes(high) ? high : high + margin];
}

/** Which of `places` (ascending) is nearest to `x`; -1 where there is none. */
export function nearest(places: readonly number[], x: number): number {
  let best = -1;
  for (const [index, place] of places.entries()) {
    if (best < 0 || Math.abs(place - x) < Math.abs((places[best] as number) - x)) best = index;
  }
  return best;
}

/** Ticks that no two read alike: where some do, what is drawn are counts, which have no halves. */
export function toldApart(ticks: readonly number[], format: (value: number) => string): readonly number[] {
  return new Set(ticks.map(format)).size === ticks.length ? ticks : ticks.filter(Number.isInteger);
}

/** `text` cut to what fits `width` pixels at 12 px, with an ellipsis; "" where not even three letters fit. */
export function fitting(text: string, width: number): string {
  const room = Math.floor(width / 6.6);
  if (text.length <= room) return text;
  return room < 4 ? "" : `${text.slice(0, room - 1)}…`;
}

export interface Span {
  start: Date;
  end: Date;
}

/** The lane of each span so that none covers another: the first that is free at its start. Spans come in the order of their starts. */
export function lanes(spans: readonly Span[]): number[] {
  const until: number[] = [];
  return spans.map(({ start, end }) => {
    const free = until.findIndex((at) => at <= start.getTime());
    const lane = free < 0 ? until.length : free;
    until[lane] = end.getTime();
    return lane;
  });
}
