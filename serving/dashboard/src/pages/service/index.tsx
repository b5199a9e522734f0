/** Service: does it answer, how fast, and how much of it is in time? */
import type { PageProps } from "..";
import type { Schemas } from "../../api/client";
import { type ServiceWindow, useHealth, useService, useStatus } from "../../api/queries";
import { LineChart } from "../../charts";
import { Badge } from "../../parts/badge";
import { Card, Grid } from "../../parts/card";
import { Empty } from "../../parts/empty";
import { milliseconds, number, percent } from "../../parts/format";
import { Loaded } from "../../parts/loaded";
import { None } from "../../parts/none";
import { Page } from "../../parts/page";
import { Stat, Stats } from "../../parts/stat";
import { Table } from "../../parts/table";
import { Tabs } from "../../parts/tabs";
import { Time } from "../../parts/time";
import { useChoice } from "../../parts/url";
import { everyPeriod } from "./periods";
import { share } from "./shares";

const WINDOWS: readonly [ServiceWindow, ...ServiceWindow[]] = ["24h", "7d", "30d", "12w"];
const TITLES: Record<ServiceWindow, string> = { "24h": "24 hours", "7d": "7 days", "30d": "30 days", "12w": "12 weeks" };
const HOURS: Record<ServiceWindow, number> = { "24h": 24, "7d": 7 * 24, "30d": 30 * 24, "12w": 12 * 7 * 24 };

export default function Service({ title, question }: PageProps) {
  const [window, setWindow] = useChoice("window", WINDOWS);
  const report = useService(window);
  return (
    <Page
      title={title}
      question={question}
      controls={<Tabs label="Window" values={WINDOWS.map((value) => ({ value, title: TITLES[value] }))} chosen={window} onChoose={setWindow} />}
    >
      <Loaded query={report} what="The service's figures">
        {(told) => <Report report={told} />}
      </Loaded>
      <Grid>
        <Dependencies />
        <Queues />
      </Grid>
    </Page>
  );
}

function Report({ report }: { report: Schemas["ServiceReport"] }) {
  const { latency_ms: latency, predictions, periods, process } = report;
  const span = TITLES[report.window] ?? report.window;
  const from = new Date(Date.parse(report.as_of) - (HOURS[report.window] ?? 24) * 3_600_000).toISOString();
  const every = everyPeriod(periods, report.unit, from, report.as_of);
  const line = (name: string, value: (period: Schemas["ServicePeriod"]) => number | null, nothing: number | null = null) => ({
    name,
    points: every.map(({ at, counts }) => ({ at, value: counts == null ? nothing : value(counts) })),
  });
  const errors = everyPeriod(process.periods ?? [], report.unit, process.started_at > from ? process.started_at : from, report.as_of);
  return (
    <>
      <Stats>
        <Stat name="Predictions" value={number(predictions)} note={`in ${span}`} />
        <Stat
          name="In time"
          value={percent(share(report.within_deadline, predictions), 1)}
          note={`within ${milliseconds(report.deadline_ms)}, the level that serving is set to`}
        />
        <Stat name="95 % answered within" value={milliseconds(latency?.p95)} note={latency ? `half within ${milliseconds(latency.p50)}, 99 % within ${milliseconds(latency.p99)}` : "none was timed"} />
        <Stat name="Degraded" value={percent(share(report.degraded, predictions), 1)} note="answered by the cheaper family" tone={report.degraded > 0 ? "warning" : "plain"} />
        <Stat name="From the cache" value={percent(share(report.cache_hits, predictions))} />
      </Stats>
      {predictions === 0 ? (
        <Empty title={`No predictions in ${span}`} command='sentiment-platform predict "Shares slide as profit misses forecasts"'>
          Ask one on the page Try, or so; it is here within seconds:
        </Empty>
      ) : (
        <Grid>
          <Card title="Predictions">
            <LineChart
              title={`By ${report.unit}`}
              summary={`${number(predictions)} in ${span}`}
              lines={[line("Predictions", (period) => period.predictions, 0)]}
              format={(value) => number(value)}
            />
          </Card>
          <Card title="Time to answer">
            <LineChart
              title={`By ${report.unit}`}
              summary={latency ? `95 % within ${milliseconds(latency.p95)} over ${span}` : "None was timed"}
              lines={[
                line("Half within", ({ latency_ms: ms }) => ms?.p50 ?? null),
                line("95 % within", ({ latency_ms: ms }) => ms?.p95 ?? null),
                line("99 % within", ({ latency_ms: ms }) => ms?.p99 ?? null),
              ]}
              format={milliseconds}
              limit={latency && latency.p99 > report.deadline_ms / 3 ? { value: report.deadline_ms, name: "deadline" } : undefined}
            />
          </Card>
          <Card title="In time, degraded, from the cache" aside={<span className="note">share of predictions</span>} wide>
            <LineChart
              title={`By ${report.unit}`}
              summary={`${percent(share(report.within_deadline, predictions), 1)} in time over ${span}`}
              lines={[
                line("In time", (period) => share(period.within_deadline, period.predictions)),
                line("Degraded", (period) => share(period.degraded, period.predictions)),
                line("From the cache", (period) => share(period.cache_hits, period.predictions)),
              ]}
              format={(value) => percent(value)}
              include={[0, 1]}
            />
          </Card>
        </Grid>
      )}
      <Load load={process.load} />
      <Card title="This process" aside={<span className="note">since it started, <Time at={process.started_at} ago /></span>}>
        <Stats>
          <Stat name="Requests" value={number(process.requests)} note="of every route but the probes" />
          <Stat name="Refused as wrong" value={number(process.client_errors)} note="4xx" />
          <Stat name="Failed" value={number(process.server_errors)} note="5xx" tone={process.server_errors > 0 ? "critical" : "plain"} />
          <Stat name="Shed" value={number(process.shed)} note="could not be taken within the deadline" tone={process.shed > 0 ? "warning" : "plain"} />
          <Stat name="Journal" value={number(process.journal_backlog_records)} note="records not in the database yet" />
          <Stat name="Lost" value={number(process.journal_dropped)} note="records that never will be" tone={process.journal_dropped > 0 ? "critical" : "plain"} />
          {process.feedback_rejected > 0 && <Stat name="Feedback on nothing" value={number(process.feedback_rejected)} note="no prediction has the id" tone="warning" />}
        </Stats>
        {process.periods && process.periods.length > 0 && (
          <LineChart
            title={`Errors of this process by ${report.unit}`}
            summary={`${number(process.server_errors)} failed, ${number(process.client_errors)} refused as wrong since it started`}
            lines={[
              { name: "Refused as wrong", points: errors.map(({ at, counts }) => ({ at, value: counts?.client_errors ?? 0 })) },
              { name: "Failed", points: errors.map(({ at, counts }) => ({ at, value: counts?.server_errors ?? 0 })) },
            ]}
            format={(value) => number(value)}
          />
        )}
      </Card>
    </>
  );
}

/** How busy the process that answered is: it, and not the others behind the same address. */
function Load({ load }: { load: Schemas["ProcessLoad"] }) {
  const { capacity_per_s: capacity, saturation } = load;
  return (
    <Card title="Load of this process" aside={<span className="note">{load.instance}, the last minute</span>}>
      <Stats>
        <Stat name="Requests a second" value={number(load.requests_per_s, 1)} note={capacity == null ? "too few to tell what it could answer" : `it could answer about ${number(capacity)} of this kind`} />
        <Stat name="Saturation" value={percent(saturation)} note="of the time its event loop worked" tone={saturation > 0.85 ? "warning" : "plain"} />
        <Stat name="Loop lag" value={milliseconds(load.loop_lag_p99_ms)} note="99 % of its timers come within" tone={load.loop_lag_p99_ms > 50 ? "warning" : "plain"} />
        <Stat name="In flight" value={number(load.in_flight)} note={`requests being answered, beside ${number(load.open_streams)} open streams`} />
        <Stat name="Queue" value={number(load.queued_texts)} note="texts that wait for a model or are with it" />
        <Stat name="Holds" value={load.resident_bytes == null ? "not known" : `${number(load.resident_bytes / 1e6)} MB`} note={`${load.descriptors == null ? "" : `${number(load.descriptors)} descriptors, `}${number(load.threads)} threads`} />
      </Stats>
    </Card>
  );
}

function Dependencies() {
  const health = useHealth();
  return (
    <Card title="What it uses" aside={health.data && <Badge tone={health.data.status === "ready" ? "good" : "critical"}>{health.data.status === "ready" ? "ready" : "not ready"}</Badge>}>
      <Loaded query={health} what="The state of the process">
        {({ reason, dependencies }) => (
          <>
            {reason && <p className="band warning">{reason}</p>}
            <Table
              caption="What the process uses"
              columns={[
                { key: "name", title: "What", heading: true, cell: ({ name }) => name },
                { key: "state", title: "State", cell: ({ told }) => <Badge tone={told.status === "ok" ? "good" : told.status === "down" ? "critical" : "plain"}>{told.status}</Badge> },
                { key: "at", title: "Looked", cell: ({ told }) => <Time at={told.checked_at} ago missing="it was never looked at" /> },
                { key: "message", title: "Says", className: "words", cell: ({ told }) => told.message ?? "" },
              ]}
              rows={Object.entries(dependencies).map(([name, told]) => ({ name, told }))}
              rowKey={({ name }) => name}
            />
          </>
        )}
      </Loaded>
    </Card>
  );
}

function Queues() {
  const status = useStatus();
  return (
    <Card title="Families">
      <Loaded query={status} what="The families">
        {({ families }) => (
          <Table
            caption="Families and their queues"
            columns={[
              { key: "family", title: "Family", heading: true, cell: ({ family }) => family },
              { key: "version", title: "Version", cell: ({ live }) => live?.version ?? <None why="not deployed" /> },
              { key: "queue", title: "Waiting texts", numeric: true, cell: ({ live }) => (live ? number(live.queue_depth) : <None why="not deployed" />) },
              { key: "health", title: "State", cell: ({ live }) => live && <Badge tone={live.health === "ok" ? "good" : "warning"}>{live.health}</Badge> },
            ]}
            rows={Object.entries(families).map(([family, live]) => ({ family, live }))}
            rowKey={({ family }) => family}
          />
        )}
      </Loaded>
    </Card>
  );
}
