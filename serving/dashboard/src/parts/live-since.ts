/** Since when a version is live, as every page says it: by the deployments, a person's selection, or the process, whichever knows. */
import type { Schemas } from "../api/client";

type Named = Pick<Schemas["DeploymentShown"], "revision" | "published_at" | "champions">;
type Answering = Pick<Schemas["FamilyStatus"], "version" | "since" | "selection">;

/**
 * The first of the deployments in a row, back from the one that is live (`revision`), that name it; where that does not, the moment a
 * person selected it; else since when the process that was asked answers by it, which a restart begins anew.
 */
export function liveSince(live: Answering, revision: number | undefined, deployments: readonly Named[]): string {
  let since: string | null = null;
  for (const { champions, published_at } of upTo(revision, deployments)) {
    if (!Object.values(champions).some(({ version }) => version === live.version)) break;
    since = published_at;
  }
  return since ?? live.selection?.requested_at ?? live.since;
}

const upTo = (revision: number | undefined, deployments: readonly Named[]) =>
  deployments.filter((deployment) => revision == null || deployment.revision <= revision).sort((a, b) => b.revision - a.revision);
