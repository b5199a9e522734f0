/** The newest moment of each kind of row, and what brings a kind that is missing. */
import type { Schemas } from "../../api/client";
import { Time } from "../../parts/time";

const KINDS: readonly { key: keyof Schemas["Freshness"]; name: string; missing: string }[] = [
  { key: "article_available_at", name: "Article", missing: "nothing was collected: collect_job" },
  { key: "vector_as_of", name: "Feature vector", missing: "no features were computed: collect_job" },
  { key: "label_inserted_at", name: "Label", missing: "no labels were imported: labels import" },
  { key: "price_available_at", name: "Price", missing: "no prices were collected: market_job" },
  { key: "prediction_at", name: "Prediction", missing: "nobody asked yet" },
  { key: "feedback_at", name: "Feedback", missing: "nobody gave any yet" },
  { key: "drift_report_at", name: "Drift report", missing: "nothing was measured yet: monitor_job" },
];

export const FreshnessList = ({ freshness }: { freshness: Schemas["Freshness"] }) => (
  <dl className="facts">
    {KINDS.map(({ key, name, missing }) => (
      <div key={key}>
        <dt>{name}</dt>
        <dd>{freshness[key] ? <Time at={freshness[key]} ago /> : <span className="note">{missing}</span>}</dd>
      </div>
    ))}
  </dl>
);
