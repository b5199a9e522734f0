/** The two versions that are ticked, as the address says it: `a,b`. */

const MOST = 2;

export const ticked = (written: string | null): string[] => [...new Set((written ?? "").split(",").filter(Boolean))].slice(0, MOST);

/** A third tick takes out the one that was ticked first. */
export const toggled = (chosen: readonly string[], version: string): string[] =>
  chosen.includes(version) ? chosen.filter((other) => other !== version) : [...chosen, version].slice(-MOST);
