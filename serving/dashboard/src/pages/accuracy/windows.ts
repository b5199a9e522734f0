/** What a figure was measured on: holdout and folds are promises, the audit sample judges, feedback and estimates do not. */
import type { Schemas } from "../../api/client";

type Figure = Schemas["PerformanceFigure"];

const SOURCES: Record<string, string> = { audit: "audit sample", estimated: "estimate without labels" };
const ORDER = ["holdout", "folds", "audit", "feedback", "estimated"];
const kindOf = (window: string): string => window.split(":")[0] ?? "";
const rankOf = (window: string): number => ORDER.indexOf(kindOf(window));

export const isPromise = (window: string): boolean => ["holdout", "folds"].includes(kindOf(window));
/** Whether a window is the random sample of answers that people labelled: live accuracy. */
export const isAudit = (window: string): boolean => kindOf(window) === "audit";

/** `holdout:9b48c8d3d200` -> "holdout 9b48c8d3", `audit:7d` -> "audit sample of 7 days", `folds:9b48c8d3d200` -> "k-fold 9b48c8d3". */
export function windowName(window: string): string {
  const [kind = window, of = ""] = window.split(":");
  if (kind === "holdout") return of ? `holdout ${of.slice(0, 8)}` : "holdout";
  if (kind === "folds") return `k-fold ${of.slice(0, 8)}`;
  const days = /^(\d+)d$/.exec(of);
  const source = SOURCES[kind] ?? kind;
  return days ? `${source} of ${days[1]} ${days[1] === "1" ? "day" : "days"}` : `${kind} ${of}`.trim();
}

/** Figures by version: live versions first, promises before what was seen, what judges before what does not. */
export function byVersion(figures: readonly Figure[], live: readonly string[]): { version: string; figures: Figure[] }[] {
  const names = [...new Set(figures.map(({ version }) => version))];
  const rank = (name: string) => (live.includes(name) ? 0 : 1);
  return names
    .sort((a, b) => rank(a) - rank(b) || b.localeCompare(a, "en", { numeric: true }))
    .map((version) => ({
      version,
      figures: figures
        .filter((figure) => figure.version === version)
        .sort((a, b) => rankOf(a.window) - rankOf(b.window) || a.window.localeCompare(b.window, "en", { numeric: true })),
    }));
}
