/** Alerts: what is open, what was, and what to do about it? */
import type { PageProps } from "..";
import type { Schemas } from "../../api/client";
import { useAbout, useAlerts } from "../../api/queries";
import { Badge, type Tone } from "../../parts/badge";
import { Empty } from "../../parts/empty";
import { words } from "../../parts/format";
import { Loaded } from "../../parts/loaded";
import { Outward } from "../../parts/outward";
import { Page } from "../../parts/page";
import { Prose } from "../../parts/prose";
import { Stat, Stats } from "../../parts/stat";
import { Tabs } from "../../parts/tabs";
import { Time } from "../../parts/time";
import { useChoice } from "../../parts/url";
import { Acknowledge } from "./acknowledge";
import { Detail } from "./detail";
import "./alerts.css";

type Incident = Schemas["IncidentShown"];
const TONES: Record<Incident["severity"], Tone> = { critical: "critical", warning: "warning" };
const SHOWN = [
  { value: "open", title: "Open" },
  { value: "all", title: "All" },
] as const;

export default function Alerts({ title, question }: PageProps) {
  const [shown, setShown] = useChoice("show", ["open", "all"]);
  const alerts = useAlerts({ limit: 100 });
  const runbook = useAbout().data?.runbook_url ?? null;
  return (
    <Page title={title} question={question} controls={<Tabs label="Which" values={SHOWN} chosen={shown} onChoose={setShown} />}>
      <Loaded query={alerts} what="The alerts">
        {({ open, incidents }) => {
          const rows = incidents.filter(({ resolved_at: at }) => shown === "all" || at == null);
          return (
            <>
              <Stats>
                <Stat name="Critical and open" value={open.critical} tone={open.critical > 0 ? "critical" : "plain"} />
                <Stat name="Warnings open" value={open.warning} tone={open.warning > 0 ? "warning" : "plain"} />
                <Stat name="Acknowledged" value={open.acknowledged} note="of those that are open" />
              </Stats>
              {rows.length === 0 ? (
                <Empty title={shown === "open" ? "Nothing is open" : "There was never an alert"} command="sentiment-platform run alert_job">
                  Monitoring looks: it opens an alert once, and closes it when its cause is gone.
                </Empty>
              ) : (
                <ul className="incidents">
                  {rows.map((incident) => (
                    <Told key={incident.id} incident={incident} runbook={runbook} />
                  ))}
                </ul>
              )}
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}

const Told = ({ incident, runbook }: { incident: Incident; runbook: string | null }) => (
  <li className={`card incident ${incident.resolved_at ? "resolved" : incident.severity}`}>
    <h2>
      <Badge tone={incident.resolved_at ? "plain" : TONES[incident.severity]}>{incident.resolved_at ? "resolved" : incident.severity}</Badge>{" "}
      {incident.acknowledgement && <Badge tone="accent">acknowledged</Badge>} {incident.summary}
    </h2>
    <p>
      <strong>What to do:</strong> <Prose text={incident.remedy} /> {runbook && <Outward to={runbook}>Runbook</Outward>}
    </p>
    <p className="note">
      {words(incident.class)}, found by <code>{incident.source}</code>, open since <Time at={incident.opened_at} />, last seen <Time at={incident.last_seen_at} ago />
      {incident.resolved_at && (
        <>
          , resolved <Time at={incident.resolved_at} />
        </>
      )}
      .
    </p>
    {incident.acknowledgement && (
      <p className="note">
        Acknowledged by <strong>{incident.acknowledgement.by}</strong>, <Time at={incident.acknowledgement.at} />
        {incident.acknowledgement.note && <>: {incident.acknowledgement.note}</>}
      </p>
    )}
    {!incident.resolved_at && <Acknowledge incident={incident} />}
    <details>
      <summary>The figures behind it</summary>
      <Detail detail={incident.detail} />
    </details>
  </li>
);
