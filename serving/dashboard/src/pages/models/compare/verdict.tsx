/** What a comparison says, in words and drawn: the difference of macro-F1 with its interval against zero. */
import type { Schemas } from "../../../api/client";
import { IntervalChart } from "../../../charts";
import { Badge, type Tone } from "../../../parts/badge";
import { Card } from "../../../parts/card";
import { number, signed } from "../../../parts/format";
import { RunLink } from "../../../parts/run-link";
import { Stat, Stats } from "../../../parts/stat";
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
        </>
      )}
    </Card>
  );
}

const textsCompared = ({ n, stories, left_out }: NonNullable<Schemas["PairComparison"]["figures"]>): string =>
  [
    `${number(n)} texts that both answered`,
    stories > 0 && stories < n && `${number(stories)} stories`,
    left_out > 0 && `without ${number(left_out)} that one has learned from`,
  ]
    .filter(Boolean)
    .join(", ");

const pValue = (p: number): string => (p < 0.001 ? "< 0.001" : `= ${number(p, 3)}`);
