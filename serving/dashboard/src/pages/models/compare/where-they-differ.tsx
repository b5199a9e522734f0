/** Texts on which two versions differ: who was right, and what one calls what the other calls otherwise. */
import type { Schemas } from "../../../api/client";
import { Matrix } from "../../../charts";
import { Card } from "../../../parts/card";
import { number, percent } from "../../../parts/format";
import { LABELS } from "../../../parts/sentiment";

export function WhereTheyDiffer({ comparison }: { comparison: Schemas["PairComparison"] }) {
  const { figures, champion, challenger } = comparison;
  const told = figures?.disagreement;
  if (!figures || !told) return null;
  return (
    <Card title="Where they disagree" aside={`${number(told.n_different)} of ${number(figures.n)} texts`}>
      <p>
        They differ on {percent(told.n_different / figures.n)} of the texts. There {challenger} alone is right {number(told.only_b_right)} times, {champion}{" "}
        alone {number(told.only_a_right)} times, neither {number(told.both_wrong)} times.
      </p>
      <Matrix
        title={`Texts by the answers of ${champion} and ${challenger}`}
        names={LABELS}
        counts={told.confusion}
        rowTitle={champion}
        columnTitle={challenger}
      />
    </Card>
  );
}
