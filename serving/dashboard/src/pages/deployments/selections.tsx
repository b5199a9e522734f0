/** What people selected or rolled back, and what became of it. */
import type { Schemas } from "../../api/client";
import { Badge, type Tone } from "../../parts/badge";
import { Empty } from "../../parts/empty";
import { Table } from "../../parts/table";
import { Time } from "../../parts/time";

const TONES: Record<Schemas["RecordedSelection"]["state"], Tone> = { open: "warning", published: "good", refused: "critical" };

export function Selections({ selections }: { selections: readonly Schemas["RecordedSelection"][] }) {
  if (selections.length === 0) return <Empty title="Nobody has asked for a version here">What was chosen here or over the API would stand here; deployments by command are in the list below.</Empty>;
  return (
    <Table
      caption="Selections of people, newest first"
      columns={[
        { key: "at", title: "Asked", heading: true, cell: ({ requested_at: at }) => <Time at={at} /> },
        { key: "version", title: "For", cell: ({ version }) => version },
        { key: "actor", title: "By", cell: ({ actor }) => actor },
        { key: "reason", title: "Why", className: "words", cell: ({ reason }) => reason },
        {
          key: "state",
          title: "State",
          cell: ({ state, published_revision: revision, refusal }) => (
            <>
              <Badge tone={TONES[state]}>{state}</Badge> {revision != null && `as deploy ${revision}`}
              {refusal}
            </>
          ),
        },
      ]}
      rows={selections}
      rowKey={({ request_id: id, family }) => `${id} ${family}`}
    />
  );
}
