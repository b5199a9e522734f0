/** What a comparison says, in words and drawn: the difference of macro-F1 with its interval against zero. */
import type { Schemas } from "../../../api/client";
import { IntervalChart } from "../../../charts";
import { Badge, type Tone } from "../../../parts/badge";
import { Card } from "../../../parts/card";
import { milliseconds, number, signed, words } from "../../../parts/format";
import { None } from "../../../parts/none";
import { RunLink } from "../../../parts/run-link";
import { Stat, Stats } from "../../../parts/stat";
import { Table } from "../../../parts/table";
import { Time } from "../../../parts/time";

const TONES: Record<string, Tone> = { better: "good", worse: "warning" };
const tone = (verdict: string): Tone => (verdict.startsWith("blocked:") ? "critical" : (TONES[verdict] ?? "plain"));

export function Verdict({ comparison }: { comparison: Schemas["PairComparison"] }) {
  const { figures, champion, challenger, verdict } = comparison;
  return (
    <Card
      title={`${challenger} against ${champion}`}
      aside={
        <span className="note">
          <Time at={comparison.compared_at} />, <RunLink id={comparison.run_id} />
        </span>
      }
    >
      <p className="verdict">
        <Badge tone={tone(verdict)}>{verdict}</Badge> {figures?.words}
      </p>
      {figures?.in_sample && (
        <p className="band warning">
          No evidence: {figures.seen_by.join(", ")} learned from texts of this holdout.
        </p>
      )}
      {figures && (
        <>
          <IntervalChart
            title="Difference of macro-F1, with its 95 % interval"
            summary={`${challenger} less ${champion}: right of zero ${challenger} is better`}
            intervals={[
              {
                name: `${challenger} less ${champion}`,
                value: figures.macro_f1.difference.value,
                low: figures.macro_f1.difference.low,
                high: figures.macro_f1.difference.high,
                note: textsCompared(figures),
              },
            ]}
            format={(value) => signed(value, 3)}
            reference={0}
          />
          <Stats>
            <Stat name={`Macro-F1 of ${champion}`} value={number(figures.macro_f1.a, 3)} />
            <Stat name={`Macro-F1 of ${challenger}`} value={number(figures.macro_f1.b, 3)} note={signed(figures.macro_f1.difference.value, 3)} />
            <Stat
              name="Exact McNemar, after Holm"
              value={figures.adjusted_p == null ? "not read" : `p ${pValue(figures.adjusted_p)}`}
              note={figures.adjusted_p == null ? "the gate does not weigh this pair" : `better needs less than ${number(figures.level, 4)}`}
            />
            <Stat name="Power" value={number(figures.power, 2)} note="to see 5 points of accuracy" />
          </Stats>
          {figures.guardrails.length > 0 && <Guardrails guardrails={figures.guardrails} challenger={challenger} />}
          {figures.scores && <Scores scores={figures.scores} />}
        </>
      )}
    </Card>
  );
}

const Guardrails = ({ guardrails, challenger }: { guardrails: readonly Schemas["Guardrail"][]; challenger: string }) => (
  <Table
    caption={`What must not get worse with ${challenger}`}
    columns={[
      { key: "name", title: "Guardrail", heading: true, cell: ({ name }) => words(name) },
      { key: "blocks", title: "Blocks it", cell: ({ blocks }) => <Badge tone={blocks ? "critical" : "good"}>{blocks ? "yes" : "no"}</Badge> },
      { key: "why", title: "Why", className: "words", cell: ({ words: why }) => why },
    ]}
    rows={guardrails}
    rowKey={({ name }) => name}
  />
);

const Scores = ({ scores }: { scores: readonly Schemas["WeightedScore"][] }) => (
  <Table
    caption="The weighted score, with its parts"
    columns={[
      { key: "version", title: "Version", heading: true, cell: ({ version }) => version },
      { key: "score", title: "Score", numeric: true, cell: ({ value }) => number(value, 3) },
      { key: "accuracy", title: `Accuracy (${scores[0]?.weights.accuracy ?? ""})`, numeric: true, cell: ({ accuracy }) => number(accuracy, 3) },
      { key: "ece", title: `Calibration error (${scores[0]?.weights.calibration ?? ""})`, numeric: true, cell: ({ ece }) => number(ece, 3) },
      {
        key: "latency",
        title: `95 % within (${scores[0]?.weights.latency ?? ""})`,
        numeric: true,
        cell: ({ latency_p95_ms: p95 }) => (p95 == null ? <None why="it is not known of both, so it is left out" /> : milliseconds(p95)),
      },
    ]}
    rows={scores}
    rowKey={({ version }) => version}
  />
);

const textsCompared = ({ n, stories, left_out }: NonNullable<Schemas["PairComparison"]["figures"]>): string =>
  [
    `${number(n)} texts that both answered`,
    stories > 0 && stories < n && `${number(stories)} stories`,
    left_out > 0 && `without ${number(left_out)} that one has learned from`,
  ]
    .filter(Boolean)
    .join(", ");

const pValue = (p: number): string => (p < 0.001 ? "< 0.001" : `= ${number(p, 3)}`);
