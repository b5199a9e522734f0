/** One subject of a report: the two distributions that were compared, and what the tests say of them. */
import type { Schemas } from "../../api/client";
import { HistogramPair } from "../../charts";
import { Card } from "../../parts/card";
import { Empty } from "../../parts/empty";
import { counted, number, percent } from "../../parts/format";
import { Stat, Stats } from "../../parts/stat";
import { bins } from "./bins";

export function Subject({ report, subject }: { report: Schemas["DriftReportAnswer"]; subject: string }) {
  const distribution = report.distributions.find((one) => one.subject === subject);
  const tests = report.tests.filter((one) => one.subject === subject);
  return (
    <Card title={`${subject}: then and now`} aside={tests[0] && <span className="note">compared with {tests[0].reference.replace(":", ", ")}</span>}>
      {distribution ? (
        <>
          <HistogramPair
            title="Shares of texts by value"
            summary={`${subject}: what the version was made from beside what was asked`}
            bins={bins(distribution)}
            format={(value) => number(value, Number.isInteger(value) ? 0 : 2)}
            referenceName="made from"
            currentName="asked"
          />
          <Missing distribution={distribution} />
        </>
      ) : (
        <Empty title="The distributions of this report were not kept">Reports keep them from this version of the platform on.</Empty>
      )}
      <Stats>
        {tests.map(({ test, statistic, threshold, adjusted_p_value: p, effect_size: effect, drifted, n_current: n }) => (
          <Stat
            key={test}
            name={test === "ks" ? "Kolmogorov-Smirnov" : "PSI"}
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
      Without a value: {percent(share(before, reference), 1)} of what it was made from, {percent(share(now, current), 1)} of what was asked. The bars leave
      them out.
    </p>
  );
}
