/** Who answers on this page: the deployed version of each family. */
import { Link } from "wouter";
import type { Schemas } from "../../api/client";
import { Empty } from "../../parts/empty";

export function Answering({ families }: { families: Schemas["ModelsStatus"]["families"] }) {
  const live = Object.entries(families).flatMap(([family, told]) => (told ? [{ family, version: told.version }] : []));
  if (live.length === 0) {
    return (
      <Empty title="No model answers yet" command="sentiment-platform run bootstrap_job">
        Nothing is deployed. This deploys the starters that the platform ships, in seconds:
      </Empty>
    );
  }
  return (
    <p className="note try-answering">
      Here answer{" "}
      {live.map(({ family, version }, index) => (
        <span key={family}>
          {index > 0 && " and "}
          <Link href={`/app/models/${version}`}>{version}</Link>
        </span>
      ))}
      .
    </p>
  );
}
