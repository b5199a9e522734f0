/** What a figure was measured on: the holdout is a promise, anything else was seen. */
import type { Schemas } from "../../api/client";

type Figure = Schemas["PerformanceFigure"];

export const isPromise = (window: string): boolean => window.startsWith("holdout");

/** `holdout:9b48c8d3d200` -> "holdout 9b48c8d3", `feedback:7d` -> "feedback of 7 days", `folds:9b48c8d3d200` -> "k-fold 9b48c8d3". */
export function windowName(window: string): string {
  const [kind = window, of = ""] = window.split(":");
  if (isPromise(window)) return of ? `holdout ${of.slice(0, 8)}` : "holdout";
  if (kind === "folds") return `k-fold ${of.slice(0, 8)}`;
  const days = /^(\d+)d$/.exec(of);
  return days ? `${kind} of ${days[1]} ${days[1] === "1" ? "day" : "days"}` : `${kind} ${of}`.trim();
}

/** Figures by version: live versions first, promises before what was seen. */
export function byVersion(figures: readonly Figure[], live: readonly string[]): { version: string; figures: Figure[] }[] {
  const names = [...new Set(figures.map(({ version }) => version))];
  const rank = (name: string) => (live.includes(name) ? 0 : 1);
  return names
    .sort((a, b) => rank(a) - rank(b) || b.localeCompare(a, "en", { numeric: true }))
    .map((version) => ({
      version,
      figures: figures
        .filter((figure) => figure.version === version)
        .sort((a, b) => Number(isPromise(b.window)) - Number(isPromise(a.window)) || a.window.localeCompare(b.window, "en", { numeric: true })),
    }));
}
