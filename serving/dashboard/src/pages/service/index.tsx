/** Service: does it answer, how fast, and how much of it is in time? */
import type { PageProps } from "..";
import type { Schemas } from "../../api/client";
import { type ServiceWindow, useService } from "../../api/queries";
import { LineChart } from "../../charts";
import { Card, Grid } from "../../parts/card";
import { Empty } from "../../parts/empty";
import { milliseconds, number, percent } from "../../parts/format";
import { Loaded } from "../../parts/loaded";
import { Page } from "../../parts/page";
import { Stat, Stats } from "../../parts/stat";
import { Tabs } from "../../parts/tabs";
import { useChoice } from "../../parts/url";
import { Answered } from "./answered";
import { Dependencies } from "./dependencies";
import { Families } from "./families";
import { LastHour } from "./last-hour";
import { Load } from "./load";
import { everyPeriod } from "./periods";
import { Errors, Process } from "./process";
import { share } from "./shares";
import { SwitchedOff, Switches } from "./switches";
import { Verdict } from "./verdict-line";
import "./service.css";

type Report = Schemas["ServiceReport"];

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
      <Verdict service={report} />
      <SwitchedOff />
      <Grid>
        <div className="stack">
          <Dependencies />
          <Loaded query={report} what="The load of this process">
            {({ process }) => <Load load={process.load} />}
          </Loaded>
        </div>
        <div className="stack">
          <Loaded query={report} what="What this process counted">
            {({ process }) => <Process process={process} />}
          </Loaded>
          <Families />
        </div>
      </Grid>
      <Loaded query={report} what="The service's figures">
        {(told) => (
          <>
            {told.stored ? <Stored report={told} stored={told.stored} /> : <Missing what="Predictions of all processes" report={told} />}
            <Errors process={told.process} lines={errorsOf(told)} unit={told.unit} />
          </>
        )}
      </Loaded>
      <Grid>
        <div className="stack">
          <Card title="The last hour" anchor="hour" aside={<span className="note">stored answers of all processes</span>}>
            <Loaded query={report} what="Who answered">
              {(told) => (told.stored ? <LastHour hour={told.stored.last_hour} /> : <NotTold report={told} />)}
            </Loaded>
          </Card>
          <Card title="Versions that answered" aside={<span className="note">in this process, since it started</span>}>
            <Loaded query={report} what="Its answers">
              {(told) => <Answered counts={told.process} />}
            </Loaded>
          </Card>
        </div>
        <Switches />
      </Grid>
    </Page>
  );
}

const from = ({ as_of: at, window }: Report): string => new Date(Date.parse(at) - (HOURS[window] ?? 24) * 3_600_000).toISOString();

function errorsOf(report: Report) {
  const { process, unit, as_of: until } = report;
  const since = from(report);
  return everyPeriod(process.periods ?? [], unit, process.started_at > since ? process.started_at : since, until);
}

/** What the database alone knows, while it does not tell it. */
const NotTold = ({ report }: { report: Report }) => (
  <Empty title="The database does not tell it">{report.missing ?? "This API is older and does not tell why."} It is asked again every few seconds.</Empty>
);

const Missing = ({ what, report }: { what: string; report: Report }) => (
  <Card title={what}>
    <NotTold report={report} />
  </Card>
);

function Stored({ report, stored }: { report: Report; stored: Schemas["StoredService"] }) {
  const { latency_ms: latency, predictions, periods } = stored;
  const span = TITLES[report.window] ?? report.window;
  const every = everyPeriod(periods, report.unit, from(report), report.as_of);
  const line = (name: string, value: (period: Schemas["ServicePeriod"]) => number | null, nothing: number | null = null) => ({
    name,
    points: every.map(({ at, counts }) => ({ at, value: counts == null ? nothing : value(counts) })),
  });
  return (
    <>
      <Stats>
        <Stat name="Predictions" value={number(predictions)} note={`in ${span}`} />
        <Stat
          name="In time"
          value={percent(share(stored.within_deadline, predictions), 1)}
          note={`within ${milliseconds(report.deadline_ms)}, the level that serving is set to`}
        />
        <Stat name="95 % answered within" value={milliseconds(latency?.p95)} note={latency ? `half within ${milliseconds(latency.p50)}, 99 % within ${milliseconds(latency.p99)}` : "none was timed"} />
        <Stat name="Degraded" value={percent(share(stored.degraded, predictions), 1)} note="answered by a stand-in" tone={stored.degraded > 0 ? "warning" : "plain"} />
        <Stat name="From the cache" value={percent(share(stored.cache_hits, predictions))} note="the same was asked within the hour" />
      </Stats>
      {predictions === 0 ? (
        <Card title="Predictions">
          <Empty title={`No predictions in ${span}`} command='sentiment-platform predict "Shares slide as profit misses forecasts"'>
            Ask one on the page Try, or so; it is here within seconds:
          </Empty>
        </Card>
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
              summary={`${percent(share(stored.within_deadline, predictions), 1)} in time over ${span}`}
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
    </>
  );
}
