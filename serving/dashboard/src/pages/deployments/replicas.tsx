/** Which serving processes answered of late, and by which version of each family. */
import type { Schemas } from "../../api/client";
import { Badge } from "../../parts/badge";
import { Empty } from "../../parts/empty";
import { Table } from "../../parts/table";
import { Time } from "../../parts/time";
import { silentReplicas } from "./silent";

export function Replicas({ told }: { told: Schemas["SelectionsAnswer"] }) {
  if (told.replicas.length === 0) {
    return <Empty title="No replica was asked">A replica that nobody asks cannot be seen here. A question on the page Try makes one answer.</Empty>;
  }
  const silent = silentReplicas(told);
  return (
    <>
      <Table
        caption="The newest answer of each replica"
        columns={[
          { key: "replica", title: "Replica", heading: true, cell: ({ replica }) => <><code>{replica.slice(0, 8)}</code> {silent.has(replica) && <Badge tone="warning">gone?</Badge>}</> },
          { key: "family", title: "Family", cell: ({ family }) => family },
          { key: "version", title: "Version", cell: ({ version }) => version },
          { key: "revision", title: "Deployment", numeric: true, cell: ({ revision }) => revision },
          { key: "at", title: "Answered", cell: ({ answered_at: at }) => <Time at={at} ago /> },
        ]}
        rows={told.replicas}
        rowKey={({ replica, family }) => `${replica} ${family}`}
      />
      {silent.size > 0 && <p className="note">Gone?: it has answered nothing for a minute while others did. Either it ended, or nobody asks it. The page Service names the process that answers it.</p>}
    </>
  );
}
