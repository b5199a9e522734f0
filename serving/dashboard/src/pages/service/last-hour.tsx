/** Who gave the answers of the last hour, and how fast; and how many were given by a stand-in, by reason. */
import type { Schemas } from "../../api/client";
import { Badge } from "../../parts/badge";
import { Empty } from "../../parts/empty";
import { counted, milliseconds, number, percent } from "../../parts/format";
import { None } from "../../parts/none";
import { Table } from "../../parts/table";
import { share } from "./shares";
import { by, sum } from "./unserved";

export function LastHour({ hour }: { hour: Schemas["LastHour"] | undefined }) {
  if (hour === undefined) return <Empty title="This API is older and does not tell it" />;
  const { versions, stood_in: stoodIn } = hour;
  const all = versions.reduce((every, { answers }) => every + answers, 0);
  const others = sum(stoodIn);
  if (all === 0) return <Empty title="Nothing was answered in the last hour">A question on the page Try is here within seconds.</Empty>;
  return (
    <>
      <Table
        caption="Answers of the last hour by version and arm"
        columns={[
          { key: "version", title: "Version", heading: true, cell: ({ version, arm }) => <>{version} {arm != null && <Badge tone="accent">{arm}</Badge>}</> },
          { key: "answers", title: "Answers", numeric: true, cell: ({ answers }) => number(answers) },
          { key: "share", title: "Share", numeric: true, cell: ({ answers }) => percent(share(answers, all)) },
          { key: "time", title: "Half, 95 % within", numeric: true, cell: ({ latency_ms: ms }) => (ms ? `${milliseconds(ms.p50)}, ${milliseconds(ms.p95)}` : <None why="none was timed" />) },
        ]}
        rows={versions}
        rowKey={({ version, arm }) => `${version} ${arm}`}
      />
      {others === 0 ? (
        <p className="note">No answer was given by a stand-in.</p>
      ) : (
        <p className="band warning">
          {counted(others, "answer")} of {number(all)} ({percent(share(others, all), 1)}) {others === 1 ? "was" : "were"} given by a stand-in: {by(stoodIn)}.
        </p>
      )}
    </>
  );
}
