/** What is said of a version that answers, on each page alike: since when, and by whose choice where it was a person's. */
import type { Schemas } from "../api/client";
import { useDeployments } from "../api/queries";
import { Badge } from "./badge";
import { liveSince } from "./live-since";
import { Time } from "./time";

interface Props {
  live: Schemas["FamilyStatus"];
  deployment: Schemas["LiveDeployment"] | null | undefined;
}

export function Since({ live, deployment }: Props) {
  const deployments = useDeployments().data?.deployments ?? [];
  const { selection } = live;
  return (
    <>
      {selection && <Badge tone="warning">selected by hand</Badge>}{" "}
      <span className="soft">
        since <Time at={liveSince(live, deployment?.revision, deployments)} />
        {selection && (
          <>
            , selected by <bdi>{selection.actor}</bdi>: <bdi>{selection.reason}</bdi>, not published yet
          </>
        )}
      </span>
    </>
  );
}

export const isOverridden = ({ families }: Schemas["ModelsStatus"]): boolean => Object.values(families).some((live) => live?.selection != null);
