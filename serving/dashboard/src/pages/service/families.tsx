/** The families: which version answers, what waits for it, and what the last exchange of one did. */
import type { Schemas } from "../../api/client";
import { useStatus } from "../../api/queries";
import { Badge } from "../../parts/badge";
import { Card } from "../../parts/card";
import { counted, number, percent, words } from "../../parts/format";
import { Loaded } from "../../parts/loaded";
import { None } from "../../parts/none";
import { Table } from "../../parts/table";
import { Time } from "../../parts/time";

export function Families() {
  const status = useStatus();
  return (
    <Card title="Families">
      <Loaded query={status} what="The families">
        {({ families, last_swap: swap, gap }) => (
          <>
            {gap && <p className="band warning">{gap.message}</p>}
            <Table
              caption="Families and their queues"
              columns={[
                { key: "family", title: "Family", heading: true, cell: ({ family }) => family },
                { key: "version", title: "Version", cell: ({ live }) => (live ? <>{live.version} {live.canary && <Badge tone="accent">canary</Badge>}</> : <None why="not deployed" />) },
                { key: "queue", title: "Waiting texts", numeric: true, cell: ({ live }) => (live ? number(live.queue_depth) : <None why="not deployed" />) },
                { key: "health", title: "State", cell: ({ live }) => live && <Badge tone={live.health === "ok" ? "good" : "warning"}>{live.health}</Badge> },
              ]}
              rows={Object.entries(families).map(([family, live]) => ({ family, live }))}
              rowKey={({ family }) => family}
            />
            <Canaries families={families} />
            {swap && <LastSwap swap={swap} />}
          </>
        )}
      </Loaded>
    </Card>
  );
}

/** A version that is new here and answers a share of the units at first: how much, until when, and who answers the rest. */
function Canaries({ families }: { families: Schemas["ModelsStatus"]["families"] }) {
  const running = Object.entries(families).flatMap(([family, live]) => (live?.canary ? [{ family, version: live.version, canary: live.canary }] : []));
  if (running.length === 0) return <p className="note">No canary runs: what is live answers all that it should.</p>;
  return running.map(({ family, version, canary: { before, share, ends_at: ends, texts_left: left } }) => (
    <p key={family} className="band">
      <strong>Canary: {version} answers {percent(share)} of the units of {family}</strong>, and {before}, which answered before, the rest.{" "}
      {left != null && `After ${counted(left, "more text", "more texts")} in this process the watch looks at it: where it finds nothing, ${version} answers all, and else ${before}. `}
      {ends && <>It answers all {left == null ? "" : "at the latest "}<Time at={ends} ago />.</>}
    </p>
  ));
}

function LastSwap({ swap }: { swap: Schemas["Swap"] }) {
  const what = swap.versions.join(", ");
  if (swap.outcome === "swapped") {
    return (
      <p className="note">
        Last swap: {what} came live{swap.revision == null ? "" : ` with deploy ${swap.revision}`}, <Time at={swap.at} ago />{swap.duration_s >= 0.1 && `, after ${number(swap.duration_s, 1)} s of fetching, loading and trying`}. No answer waited for it.
      </p>
    );
  }
  return (
    <p className="band warning">
      <strong>The last swap was {swap.outcome}</strong>, <Time at={swap.at} ago />: {what}
      {swap.reason && ` (${words(swap.reason)})`}. {swap.message} What ran before answers on.
    </p>
  );
}
