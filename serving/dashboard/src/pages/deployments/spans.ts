/** For how long each version answered: a bar goes on as long as deployments name the same version of its family, or until a selection. */
import type { Schemas } from "../../api/client";
import type { TimelineSpan } from "../../charts";

type Families = Schemas["ModelsStatus"]["families"];

/** `families`: what answers now; a selection that is not published yet ends the bar of the version that it took the place of. */
export function spans(deployments: readonly Schemas["DeploymentShown"][], families: Families = {}): TimelineSpan[] {
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
  for (const [family, live] of Object.entries(families)) {
    const span = open.get(family);
    if (!live?.selection || span?.name === live.version) continue;
    const { actor, reason, requested_at: at } = live.selection;
    if (span) done.push({ ...span, end: at });
    open.set(family, { lane: family, name: live.version, start: at, end: null, note: `selected by ${actor}: ${reason}, not published yet` });
  }
  return [...done, ...open.values()].sort((a, b) => a.lane.localeCompare(b.lane) || a.start.localeCompare(b.start));
}
