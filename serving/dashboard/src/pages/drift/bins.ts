/** The two samples of a distribution in the same bins, as shares of each: they differ in size, so counts would say nothing. */
import type { Schemas } from "../../api/client";
import type { Bin } from "../../charts";

export function bins({ edges, reference, current }: Pick<Schemas["DriftDistribution"], "edges" | "reference" | "current">): Bin[] {
  const share = (counts: readonly number[]) => {
    const total = counts.reduce((sum, count) => sum + count, 0);
    return (index: number) => (total > 0 ? (counts[index] ?? 0) / total : 0);
  };
  const [before, now] = [share(reference), share(current)];
  return edges.slice(1).map((high, index) => ({ low: edges[index] ?? high, high, reference: before(index), current: now(index) }));
}
