/** One family's answer: label, three bars, what moved it, how it came about, and a person's word on it. */
import { useState } from "react";
import { Link } from "wouter";
import type { Schemas } from "../../api/client";
import { Card } from "../../parts/card";
import { Empty } from "../../parts/empty";
import { milliseconds, signed } from "../../parts/format";
import { LabelWord, Probabilities } from "../../parts/sentiment";
import { Feedback } from "./feedback";
import { Origin } from "./origin";
import { Tokens } from "./tokens-shown";

interface Props {
  family: string;
  description: string | undefined;
  result: Schemas["FamilyAnswer"] | null;
}

export function FamilyCard({ family, description, result }: Props) {
  const [opened, setOpened] = useState(false);
  if (result == null) {
    return (
      <Card title={family}>
        <Empty title="No answer">It is not deployed, or it could not answer within the deadline.</Empty>
      </Card>
    );
  }
  const { prediction, performance, explanation } = result;
  const context = `${prediction.features_present} of ${prediction.features_count}`;
  return (
    <Card
      title={family}
      className="family-card"
      aside={<Link href={`/app/models/${performance.model_version}`}>{performance.model_version}</Link>}
    >
      {description && <p className="note">{description}</p>}
      {!prediction.supported && (
        <Empty title="Not English: no reading">
          The text has too few English words for a model to read. What it says below means nothing, and counts nowhere.
        </Empty>
      )}
      <p className="headline-label">
        <LabelWord label={prediction.label} />
        <span className="number" title="Probability of positive less probability of negative, from −1 to +1">
          {signed(prediction.sentiment)}
        </span>
      </p>
      <Probabilities of={prediction.probabilities} label={prediction.label} />
      {explanation && <Tokens explanation={explanation} family={family} />}
      <dl className="facts">
        <div>
          <dt>Answered in</dt>
          <dd>
            {milliseconds(performance.response_time_ms)}
            {performance.cache_hit && ", from the cache"}
          </dd>
        </div>
        {performance.passages > 1 && (
          <div>
            <dt>Read</dt>
            <dd>
              {performance.passages} sentences one by one
              {performance.truncated && `; only the first ${performance.characters_read} characters of the text`}
            </dd>
          </div>
        )}
        <div>
          <dt>Features there</dt>
          <dd>{prediction.features_count ? context : "this version uses none"}</dd>
        </div>
      </dl>
      <Feedback key={result.prediction_id} id={result.prediction_id} label={prediction.label} />
      <details onToggle={(event) => setOpened(event.currentTarget.open)}>
        <summary>Where this answer comes from</summary>
        {opened && <Origin id={result.prediction_id} />}
      </details>
    </Card>
  );
}
