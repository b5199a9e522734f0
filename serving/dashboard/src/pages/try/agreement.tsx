/** The two answers in one sentence: do they agree, and if not, how far apart are they? */
import type { Schemas } from "../../api/client";
import { Badge } from "../../parts/badge";
import { number } from "../../parts/format";

export function Agreement({ answer }: { answer: Schemas["CompareAnswer"] }) {
  const given = Object.entries(answer.results).flatMap(([family, result]) => (result ? [{ family, said: result.prediction }] : []));
  if (given.length < 2) {
    return <p className="band">Only one model answered, so there is nothing to compare.</p>;
  }
  const labels = [...new Set(given.map(({ said }) => said.label))];
  if (labels.length === 1) {
    return (
      <p className="verdict-line">
        <Badge tone="good">Agreement</Badge> Both models say <strong>{labels[0]}</strong>.
      </p>
    );
  }
  const scores = given.map(({ said }) => said.sentiment);
  return (
    <p className="verdict-line">
      <Badge tone="warning">Disagreement</Badge> {given.map(({ family, said }) => `${family} says ${said.label}`).join(", ")};{" "}
      {number(Math.max(...scores) - Math.min(...scores), 2)} apart on a scale from −1 to +1.
    </p>
  );
}
