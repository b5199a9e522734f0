/** From an answer back to what it rests on: features, version, training set, deployment. */
import { Link } from "wouter";
import type { Schemas } from "../../api/client";
import { usePrediction } from "../../api/queries";
import { counted, number, words } from "../../parts/format";
import { None } from "../../parts/none";
import { Time } from "../../parts/time";

/** Why a version answered that is not simply the one that the deployment names. */
function whyThisOne({ model, answer }: Schemas["PredictionLineage"]): string | null {
  switch (model.chosen_by) {
    case "stand_in":
      return `it stood in for ${answer.instead_of ?? "the one that should have answered"}: ${words(answer.degraded_reason ?? "why is not known")}`;
    case "experiment":
      return `arm ${answer.arm} of experiment ${answer.experiment}`;
    case "selection":
      return `selected by ${model.selected_by}; the deployment names another one`;
    case "canary":
      return "the deployment names a newer one, which answered a share of the units at first: this one still answered the rest";
    default:
      return null;
  }
}

export function Origin({ id }: { id: string }) {
  const lineage = usePrediction(id);
  if (lineage.data === undefined) {
    return lineage.error ? (
      <p className="hint" role="status">
        {lineage.error.status === 404 ? "The answer is not in the database yet; it gets there within seconds. It is asked again." : lineage.error.detail}
      </p>
    ) : (
      <p className="waiting">Asking…</p>
    );
  }
  const { model, training_set: trainingSet, deployment, features } = lineage.data;
  const why = whyThisOne(lineage.data);
  return (
    <div className="origin">
      <dl className="facts">
        <div>
          <dt>Version</dt>
          <dd>
            <Link href={`/app/models/${model.version}`}>{model.version}</Link>
            {model.base_model && <>, made from {model.base_model}</>}
          </dd>
        </div>
        {why && (
          <div>
            <dt>Why this one</dt>
            <dd>{why}</dd>
          </div>
        )}
        <div>
          <dt>Learned from</dt>
          <dd>
            {trainingSet ? (
              <>
                {trainingSet.examples == null ? "texts" : counted(trainingSet.examples, "text")} of {trainingSet.label_sets.join(", ") || "no named set"}
              </>
            ) : (
              <None why="its training set is not in this database" />
            )}
          </dd>
        </div>
        <div>
          <dt>Deployed</dt>
          <dd>
            {deployment ? (
              <>
                <Link href={`/app/deployments?revision=${deployment.revision}`}>{deployment.tag}</Link> by {deployment.rule}, <Time at={deployment.published_at} />:{" "}
                {deployment.reason}
              </>
            ) : (
              <None why="this database does not know the deployment" />
            )}
          </dd>
        </div>
        <div>
          <dt>Answer</dt>
          <dd>
            <code>{id}</code>
          </dd>
        </div>
      </dl>
      <div className="table-scroll" role="region" aria-label="Features" tabIndex={0}>
        <table className="table">
          <caption>Features of schema {features.schema}</caption>
          <thead>
            <tr>
              <th scope="col">Feature</th>
              <th scope="col" className="numeric">
                Value
              </th>
            </tr>
          </thead>
          <tbody>
            {Object.entries(features.values).map(([name, value]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td className="numeric">{value == null ? <None why="missing in the request" /> : number(value, Number.isInteger(value) ? 0 : 3)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
