/** Accuracy: what was promised, what was seen, and on how many labels does that rest? */
import type { PageProps } from "..";
import type { Schemas } from "../../api/client";
import { usePerformance, usePerformanceHistory } from "../../api/queries";
import { IntervalChart, LineChart } from "../../charts";
import { Badge } from "../../parts/badge";
import { Card, Grid } from "../../parts/card";
import { Empty } from "../../parts/empty";
import { Select } from "../../parts/field";
import { counted, number, percent } from "../../parts/format";
import { Loaded } from "../../parts/loaded";
import { None } from "../../parts/none";
import { Page } from "../../parts/page";
import { Table } from "../../parts/table";
import { Tabs } from "../../parts/tabs";
import { Time } from "../../parts/time";
import { useChoice, useParam } from "../../parts/url";
import { byVersion, isAudit, isPromise, windowName } from "./windows";

type Figure = Schemas["PerformanceFigure"];
const METRICS = [
  { value: "accuracy", title: "Accuracy" },
  { value: "macro_f1", title: "Macro-F1" },
  { value: "ece", title: "Calibration error" },
  { value: "accuracy_trend", title: "Trend a day" },
  { value: "feedback_score", title: "Score of feedback" },
] as const;
type Metric = (typeof METRICS)[number]["value"];

export default function Accuracy({ title, question }: PageProps) {
  const [metric, setMetric] = useChoice<Metric>("metric", ["accuracy", "macro_f1", "ece", "accuracy_trend", "feedback_score"]);
  const performance = usePerformance();
  return (
    <Page title={title} question={question} controls={<Tabs label="Metric" values={METRICS} chosen={metric} onChoose={setMetric} />}>
      <Loaded query={performance} what="The figures">
        {({ figures, live_versions: live }) => {
          const shown = figures.filter(({ metric: name }) => name === metric);
          const versions = byVersion(shown, live);
          // One scale for all, so that two cards can be held side by side.
          const scale = shown.flatMap(({ value, low, high }) => [value, low ?? value, high ?? value]);
          return versions.length === 0 ? (
            <Empty title="Nothing was measured yet" command="sentiment-platform run train_job">
              A version is measured on the holdout when it is trained, and on labels of a random sample of its answers when monitoring runs:
            </Empty>
          ) : (
            <Grid>
              {versions.map(({ version, figures: its }) => (
                <VersionCard key={version} version={version} live={live.includes(version)} figures={its} scale={scale} />
              ))}
              <History metric={metric} versions={versions.map(({ version }) => version)} />
            </Grid>
          );
        }}
      </Loaded>
    </Page>
  );
}

interface VersionProps {
  version: string;
  live: boolean;
  figures: readonly Figure[];
  /** Values that the axis reaches. */
  scale: readonly number[];
}

function VersionCard({ version, live, figures, scale }: VersionProps) {
  const seen = figures.filter(({ window }) => !isPromise(window));
  // Windows stand in the order of their length: the shortest says how it is now.
  const judging = seen.find(({ window }) => isAudit(window));
  return (
    <Card title={version} wide={seen.length > 0} aside={live && <Badge tone="good">live</Badge>}>
      <IntervalChart
        title="Promised beside seen, with 95 % intervals"
        summary={`${version}: ${figures.map(({ window, value }) => `${windowName(window)} ${number(value, 3)}`).join(", ")}`}
        intervals={figures.map(({ window, value, low, high, n, in_sample: known, note: said }) => ({
          name: `${windowName(window)}${known ? " (in sample)" : ""}`,
          value,
          low,
          high,
          note: [counted(n, "text"), ...(known ? ["in sample: no evidence"] : []), ...(said ? [said] : [])].join(", "),
          series: isPromise(window) ? 1 : isAudit(window) ? 2 : 3,
        }))}
        format={(value) => number(value, 3)}
        include={scale}
      />
      {judging != null ? (
        <p>
          {number(judging.value, 3)} on {counted(judging.n, "text")} of the {windowName(judging.window)}: drawn at random, labelled by people.
        </p>
      ) : (
        <p className="note">
          Not judged yet: too few texts of the audit sample have a label. Feedback does not judge.{" "}
          <code>sentiment-platform labels tasks export --out FILE</code> writes the texts to label.
        </p>
      )}
      {seen.length > 0 && (
        <Table
          caption={`What was seen of ${version}`}
          columns={[
            { key: "window", title: "Seen in", heading: true, cell: ({ window }) => windowName(window) },
            { key: "value", title: "Figure", numeric: true, cell: ({ value }) => number(value, 3) },
            { key: "range", title: "95 %", numeric: true, cell: ({ low, high }) => (low == null || high == null ? <None why="it has no interval" /> : `${number(low, 3)} to ${number(high, 3)}`) },
            { key: "n", title: "Texts", numeric: true, cell: ({ n }) => number(n) },
            { key: "coverage", title: "Of its answers", numeric: true, cell: ({ window, label_coverage: coverage }) => (window.startsWith("estimated:") ? <None why="it needs no label" /> : percent(coverage, 1)) },
            { key: "note", title: "Judges", cell: ({ window, note }) => (isAudit(window) ? "yes" : `no${note ? `: ${note}` : ""}`) },
            { key: "as_of", title: "Measured", cell: ({ as_of: at }) => <Time at={at} /> },
          ]}
          rows={seen}
          rowKey={({ window }) => window}
        />
      )}
    </Card>
  );
}

function History({ metric, versions }: { metric: Metric; versions: readonly string[] }) {
  const [given, setVersion] = useParam("version");
  const version = versions.find((name) => name === given) ?? versions[0] ?? null;
  const history = usePerformanceHistory(version == null ? null : { version, metric });
  return (
    <Card
      title="How it has changed"
      wide
      aside={
        <Select label="Version" value={version ?? ""} onChange={(event) => setVersion(event.target.value)}>
          {versions.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </Select>
      }
    >
      <Loaded query={history} what="The history">
        {({ figures }) => {
          const windows = [...new Set(figures.map(({ window }) => window))];
          if (windows.every((window) => figures.filter((figure) => figure.window === window).length < 2)) {
            return <p className="note">No figure of {version} has changed yet. A line needs two revisions.</p>;
          }
          return (
            <LineChart
              title={`Every revision, ${version}`}
              summary={`${figures.length} revisions of ${metric}`}
              include={[]}
              lines={windows.map((window) => ({
                name: windowName(window),
                points: figures
                  .filter((figure) => figure.window === window)
                  .map(({ as_of: at, value, low, high }) => ({ at, value, low, high }))
                  .sort((a, b) => a.at.localeCompare(b.at)),
              }))}
              format={(value) => number(value, 3)}
            />
          );
        }}
      </Loaded>
    </Card>
  );
}
