/** Replicas that are probably gone: they are seen by their answers alone, so one that nobody asks looks the same. */
import type { Schemas } from "../../api/client";

/** Twice as long as the page waits before it asks again. */
const SILENT_MS = 60_000;

/** Those that answered nothing for so long, while another one did. */
export function silentReplicas({ as_of: now, replicas }: Pick<Schemas["SelectionsAnswer"], "as_of" | "replicas">): ReadonlySet<string> {
  const newest = new Map<string, number>();
  for (const { replica, answered_at: at } of replicas) newest.set(replica, Math.max(newest.get(replica) ?? 0, Date.parse(at)));
  const old = [...newest].filter(([, at]) => Date.parse(now) - at > SILENT_MS).map(([replica]) => replica);
  return new Set(old.length < newest.size ? old : []);
}
