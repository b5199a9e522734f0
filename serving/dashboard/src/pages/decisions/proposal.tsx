/** What would be deployed on the newest evidence, and what speaks against it. */
import { Link } from "wouter";
import type { Schemas } from "../../api/client";
import { IntervalChart } from "../../charts";
import { Badge } from "../../parts/badge";
import { Empty } from "../../parts/empty";
import { number, signed } from "../../parts/format";
import { RunLink } from "../../parts/run-link";
import { Time } from "../../parts/time";

export function Proposal({ told }: { told: Schemas["ExperimentList"] }) {
  const { evidence, objection } = told;
  if (evidence == null) {
    return (
      <Empty title="No evidence yet" command="sentiment-platform run train_job">
        {objection} Training compares all versions on the same texts:
      </Empty>
    );
  }
  const { proposal, pairs } = evidence;
  return (
    <>
      <p>
        <Badge tone={proposal.changes ? "accent" : "plain"}>{proposal.changes ? "differs from what was live" : "keeps what was live"}</Badge>{" "}
        {Object.entries(proposal.champions).map(([family, version]) => `${family} by ${version}`).join(", ")}; {proposal.default_family} answers.{" "}
        <strong>{proposal.reason}.</strong>
      </p>
      {objection && <p className="band warning">{objection}</p>}
      <IntervalChart
        title="Difference of macro-F1 of each pair, with its 95 % interval"
        summary={pairs.map(({ a, b, verdict }) => `${b} against ${a}: ${verdict}`).join("; ")}
        intervals={pairs.map(({ a, b, difference: { value, low, high }, verdict, adjusted_p: p }) => ({
          name: `${b} against ${a}`,
          value,
          low,
          high,
          note: p == null ? verdict : `${verdict}, p ${p < 0.001 ? "< 0.001" : number(p, 3)} after Holm`,
        }))}
        format={(value) => signed(value, 3)}
        reference={0}
      />
      <p className="note">
        {evidence.attempt_words} On {number(evidence.n)} holdout texts, <Time at={evidence.made_at} />, <RunLink id={evidence.run_id} />. More on the page{" "}
        <Link href="/app/models">Models</Link>.
      </p>
    </>
  );
}
