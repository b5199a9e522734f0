/** What the process uses, and whether it answers. */
import type { Schemas } from "../../api/client";
import { useHealth } from "../../api/queries";
import { Badge } from "../../parts/badge";
import { Card } from "../../parts/card";
import { Loaded } from "../../parts/loaded";
import { Table } from "../../parts/table";
import { Time } from "../../parts/time";

type Row = { name: string; told: Schemas["DependencyStatus"] };

export function Dependencies() {
  const health = useHealth();
  return (
    <Card title="What it uses" anchor="uses" aside={health.data && <Badge tone={health.data.status === "ready" ? "good" : "critical"}>{health.data.status === "ready" ? "ready" : "not ready"}</Badge>}>
      <Loaded query={health} what="The state of the process">
        {({ reason, dependencies }) => {
          const rows = Object.entries(dependencies).map(([name, told]) => ({ name, told }));
          const speaks = rows.some(({ told }) => told.message);
          return (
            <>
              {reason && <p className="band warning">{reason}</p>}
              <Table
                caption="What the process uses"
                columns={[
                  { key: "name", title: "What", heading: true, cell: ({ name }) => name },
                  { key: "state", title: "State", cell: ({ told }) => <Badge tone={told.status === "ok" ? "good" : told.status === "down" ? "critical" : "plain"}>{told.status}</Badge> },
                  { key: "at", title: "Last looked at", cell: ({ told }) => <Time at={told.checked_at} ago missing="it was never looked at" /> },
                  ...(speaks ? [{ key: "message", title: "Says", className: "words", cell: ({ told }: Row) => told.message ?? "" }] : []),
                ]}
                rows={rows}
                rowKey={({ name }) => name}
              />
            </>
          );
        }}
      </Loaded>
    </Card>
  );
}
