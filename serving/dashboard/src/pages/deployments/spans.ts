/** For how long each version answered: a bar of the timeline goes on as long as deployments name the same version of its family. */
import type { Schemas } from "../../api/client";
import type { TimelineSpan } from "../../charts";

export function spans(deployments: readonly Schemas["DeploymentShown"][]): TimelineSpan[] {
  const oldestFirst = [...deployments].sort((a, b) => a.revision - b.revision);
  const open = new Map<string, TimelineSpan>();
  const done: TimelineSpan[] = [];
  for (const { champions, published_at: at, reason } of oldestFirst) {
    for (const [family, span] of open) {
      if (champions[family]?.version !== span.name) {
        done.push({ ...span, end: at });
        open.delete(family);
      }
    }
    for (const [family, { version }] of Object.entries(champions)) {
      if (!open.has(family)) open.set(family, { lane: family, name: version, start: at, end: null, note: reason });
    }
  }
  return [...done, ...open.values()].sort((a, b) => a.lane.localeCompare(b.lane) || a.start.localeCompare(b.start));
}
