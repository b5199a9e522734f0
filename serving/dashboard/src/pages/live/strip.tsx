/** What answers, since when and why; how fast, how often degraded, and whether anything is wrong. */
import type { Schemas } from "../../api/client";
import { useAlerts, useDeployments, useService, useStatus } from "../../api/queries";
import { isOverridden, Since } from "../../parts/answering";
import { Badge } from "../../parts/badge";
import { Empty } from "../../parts/empty";
import { counted, milliseconds, number, percent } from "../../parts/format";
import { Loaded } from "../../parts/loaded";
import { None } from "../../parts/none";
import { Stat, Stats } from "../../parts/stat";

const NOT_TOLD = "the database does not tell it";

export function Strip() {
  return (
    <div className="strip">
      <section className="card answering" aria-label="What is live">
        <Loaded query={useStatus()} what="What is live">
          {(status) => <Answering status={status} />}
        </Loaded>
      </section>
      <Service />
    </div>
  );
}

function Answering({ status }: { status: Schemas["ModelsStatus"] }) {
  const { deployment, default_family: first, families } = status;
  const deployments = useDeployments().data?.deployments ?? [];
  const live = Object.entries(families).flatMap(([family, now]) => (now ? [{ family, ...now }] : []));
  const actor = deployments.find(({ revision }) => revision === deployment?.revision)?.actor;
  if (live.length === 0) {
    return (
      <Empty title="Nothing answers yet" command="sentiment-platform run bootstrap_job">
        No version is live. This publishes the versions that the platform ships, and deploys them:
      </Empty>
    );
  }
  live.sort((a, b) => Number(b.family === first) - Number(a.family === first));
  return (
    <>
      <h2>What is live</h2>
      <ul className="versions">
        {live.map(({ family, ...now }) => (
          <li key={family}>
            <strong>{now.version}</strong> {family === first && <Badge tone="accent">default</Badge>}{" "}
            {now.health !== "ok" && <Badge tone="critical">{now.health}</Badge>} <Since live={now} deployment={deployment} />
          </li>
        ))}
      </ul>
      <p className="why">
        {deployment ? (
          <>
            <span className="soft">{isOverridden(status) ? "The deployment that the selection overrides: " : "Why: "}</span>
            {deployment.reason}{" "}
            <span className="soft">
              (deployment {deployment.revision}, {deployment.rule}
              {actor && actor !== deployment.rule && `, by ${actor}`})
            </span>
          </>
        ) : (
          <None why="no deployment was published" />
        )}
      </p>
    </>
  );
}

function Service() {
  const service = useService("24h");
  const alerts = useAlerts({ limit: 200 });
  return (
    <section className="service" aria-label="How the service does">
      <Loaded query={service} what="The service's figures">
        {({ stored, missing }) => (
          <Stats>
            <Stat
              name="p95"
              value={stored?.latency_ms ? milliseconds(stored.latency_ms.p95) : <None why={stored ? "no prediction was timed in 24 hours" : (missing ?? NOT_TOLD)} />}
              note={stored ? `of ${number(stored.predictions)}, 24 h` : NOT_TOLD}
            />
            <Stat
              name="Degraded"
              tone={stored && stored.predictions > 0 && stored.degraded / stored.predictions > 0.01 ? "warning" : "plain"}
              value={stored && stored.predictions > 0 ? percent(stored.degraded / stored.predictions, 1) : <None why={stored ? "no prediction in 24 hours" : (missing ?? NOT_TOLD)} />}
              note={stored ? `${counted(stored.degraded, "answer")}, 24 h` : NOT_TOLD}
            />
            <AlertStat alerts={alerts.data} />
          </Stats>
        )}
      </Loaded>
    </section>
  );
}

function AlertStat({ alerts }: { alerts: Schemas["AlertsAnswer"] | undefined }) {
  if (!alerts) return <Stat name="Open alerts" value={<None why="not known yet" />} />;
  const { critical, warning, acknowledged } = alerts.open;
  const open = critical + warning;
  const severe = critical > 0 ? `${critical} critical` : "none critical";
  // An API that is older than acknowledgement says nothing of it.
  const known = acknowledged == null ? "" : acknowledged > 0 ? `; ${open} open, ${acknowledged} acknowledged` : "; none acknowledged";
  return (
    <Stat
      name="Open alerts"
      value={open}
      tone={critical > 0 ? "critical" : open > 0 ? "warning" : "good"}
      note={open === 0 ? "no alert is open" : severe + known}
    />
  );
}
