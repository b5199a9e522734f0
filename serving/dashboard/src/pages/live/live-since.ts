/** Since when a version is live: since the first of the deployments in a row, back from the newest, that name it. */
import type { Schemas } from "../../api/client";

type Named = Pick<Schemas["DeploymentShown"], "revision" | "published_at" | "champions">;

/** Null where the newest deployment does not name it. */
export function liveSince(version: string, deployments: readonly Named[]): string | null {
  let since: string | null = null;
  for (const { champions, published_at } of [...deployments].sort((a, b) => b.revision - a.revision)) {
    if (!Object.values(champions).some((champion) => champion.version === version)) break;
    since = published_at;
  }
  return since;
}
