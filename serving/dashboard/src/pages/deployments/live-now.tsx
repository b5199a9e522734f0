/** What answers now, since when, why, and whether something newer was offered and refused. */
import { Link } from "wouter";
import type { Schemas } from "../../api/client";
import { isOverridden, Since } from "../../parts/answering";
import { Badge } from "../../parts/badge";
import { Empty } from "../../parts/empty";
import { words } from "../../parts/format";
import { Time } from "../../parts/time";

export function LiveNow({ status }: { status: Schemas["ModelsStatus"] }) {
  const { deployment, families, default_family: answering, candidate, registry } = status;
  return (
    <>
      {deployment ? (
        <p>
          <strong>{deployment.tag}</strong> <Badge>{deployment.rule}</Badge> made <Time at={deployment.created_at} ago />: {deployment.reason}
          {isOverridden(status) && <span className="note"> (overridden by a selection until the graph publishes that)</span>}
        </p>
      ) : (
        <Empty title="No deployment is live" command="sentiment-platform run bootstrap_job" />
      )}
      <ul className="families">
        {Object.entries(families).map(([family, live]) => (
          <li key={family}>
            <strong>{family}</strong> {family === answering && <Badge tone="accent">answers /predict</Badge>}
            <br />
            {live ? (
              <>
                <Link href={`/app/models/${live.version}`}>{live.version}</Link> <Since live={live} deployment={deployment} />
                {live.health !== "ok" && <Badge tone="warning">{live.health}</Badge>}
              </>
            ) : (
              <span className="note">is not deployed</span>
            )}
          </li>
        ))}
      </ul>
      {candidate && (
        <p className="band warning">
          Offered and not live: {candidate.versions.join(", ")}
          {candidate.reason && ` (${words(candidate.reason)})`}. {candidate.message}
        </p>
      )}
      {registry.reachable === false && (
        <p className="band warning">
          The registry does not answer, so nothing newer can come. {registry.message} Last asked <Time at={registry.polled_at} ago />.
        </p>
      )}
    </>
  );
}
