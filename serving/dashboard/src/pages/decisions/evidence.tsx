/** The figures that a decision weighed, beside the thresholds that were in force. */
import type { Schemas } from "../../api/client";
import { counted, number } from "../../parts/format";
import { None } from "../../parts/none";
import { Time } from "../../parts/time";

const estimate = (value: Schemas["Estimate"] | null, missing: string) =>
  value == null ? <None why={missing} /> : `${number(value.value, 3)} (${number(value.low, 3)} to ${number(value.high, 3)}, ${counted(value.n, "text")})`;

export function Evidence({ evidence }: { evidence: Schemas["DecisionEvidence"] }) {
  const { drift, performance, last_training: training, policy } = evidence;
  return (
    <dl className="facts">
      <div>
        <dt>Watched</dt>
        <dd>{evidence.version}</dd>
      </div>
      <div>
        <dt>Drift</dt>
        <dd>
          {drift.severity}
          {drift.drifted.length > 0 && ` in ${drift.drifted.join(", ")}`}, {counted(drift.texts, "text")}; trains from {policy.drift_severity} on
        </dd>
      </div>
      <div>
        <dt>Live accuracy</dt>
        <dd>{estimate(performance.live, "no labels of live answers yet")}</dd>
      </div>
      <div>
        <dt>Promised accuracy</dt>
        <dd>
          {estimate(performance.holdout, "the manifest has no such figure")}; trains when live is {number(policy.accuracy_margin, 2)} below
        </dd>
      </div>
      <div>
        <dt>Last training</dt>
        <dd>
          {training ? (
            <>
              <Time at={training.at} />, {counted(training.new_labels, "new label")} since; trains after {number(policy.max_age_days)} days with{" "}
              {number(policy.labels_when_old)}, and rests {number(policy.cool_down_hours)} hours
            </>
          ) : (
            <None why="nothing was trained here" />
          )}
        </dd>
      </div>
    </dl>
  );
}
