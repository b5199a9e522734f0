/** One subject of a report: the two distributions that were compared, and what the tests say of them. */
import type { Schemas } from "../../api/client";
import { HistogramPair } from "../../charts";
import { Card } from "../../parts/card";
import { Empty } from "../../parts/empty";
import { counted, number, percent } from "../../parts/format";
import { Stat, Stats } from "../../parts/stat";
import { bins } from "./bins";
import { TEST_NAMES } from "./map";

export function Subject({ report, subject }: { report: Schemas["DriftReportAnswer"]; subject: string }) {
  const distribution = report.distributions.find((one) => one.subject === subject);
  const tests = report.tests.filter((one) => one.subject === subject);
  return (
    <Card title={`${subject}: then and now`} aside={tests[0] && <span className="note">compared with {tests[0].reference.replace(":", ", ")}</span>}>
      {distribution ? (
        <>
          <HistogramPair
            title="Shares of texts by value"
            summary={`${subject}: the weeks before beside the last one`}
            bins={bins(distribution)}
            format={(value) => number(value, Number.isInteger(value) ? 0 : 2)}
            referenceName="before"
            currentName="now"
          />
          <Missing distribution={distribution} />
        </>
      ) : (
        <Empty title="There is no distribution to show">Texts have none, and old reports kept none.</Empty>
      )}
      <Stats>
        {tests.map(({ test, statistic, threshold, adjusted_p_value: p, effect_size: effect, drifted, n_current: n }) => (
          <Stat
            key={test}
            name={TEST_NAMES[test]}
            value={number(statistic, 3)}
            note={
              <>
                matters from {number(threshold, 2)}
                {p != null && `, p ${p < 0.001 ? "< 0.001" : number(p, 3)}`}
                {effect != null && `, effect ${number(effect, 2)}`}, {counted(n, "text")}
              </>
            }
            tone={drifted ? "warning" : "plain"}
          />
        ))}
      </Stats>
    </Card>
  );
}

function Missing({ distribution }: { distribution: Schemas["DriftDistribution"] }) {
  const { reference, current, reference_missing: before, current_missing: now } = distribution;
  if (before === 0 && now === 0) return null;
  const share = (missing: number, counts: readonly number[]) => missing / Math.max(1, missing + counts.reduce((sum, count) => sum + count, 0));
  return (
    <p className="note">
      Without a value: {percent(share(before, reference), 1)} before, {percent(share(now, current), 1)} now. The bars leave them out.
    </p>
  );
}
