/** Sets of labels: how many of each, under which licence, how far their annotators agreed. */
import type { Schemas } from "../../api/client";
import { Empty } from "../../parts/empty";
import { number, percent } from "../../parts/format";
import { None } from "../../parts/none";
import { LABELS, Shares } from "../../parts/sentiment";
import { Table } from "../../parts/table";

type LabelSet = Schemas["LabelSetQuality"];

const total = ({ labels }: LabelSet) => Object.values(labels).reduce((sum, count) => sum + count, 0);
const shares = (set: LabelSet) =>
  Object.fromEntries(LABELS.map((label) => [label, (set.labels[label] ?? 0) / Math.max(1, total(set))])) as unknown as Schemas["LabelShares"];

export function LabelSets({ sets }: { sets: readonly LabelSet[] }) {
  if (sets.length === 0) {
    return (
      <Empty title="No labels yet" command="sentiment-platform labels import --help">
        Training needs labelled texts. Until there are some, the starters answer.
      </Empty>
    );
  }
  return (
    <Table
      caption="Label sets"
      columns={[
        { key: "name", title: "Set", heading: true, sort: ({ name }) => name, cell: ({ name }) => name },
        { key: "kind", title: "By", cell: ({ kind }) => kind },
        { key: "total", title: "Labels", numeric: true, sort: total, cell: (set) => number(total(set)) },
        { key: "shares", title: "Shares", cell: (set) => <Shares of={shares(set)} /> },
        {
          key: "agreement",
          title: "Annotators agree",
          numeric: true,
          cell: ({ agreement, agreement_n: n }) =>
            agreement == null ? <None why="no label of several annotators is stored" /> : <span title={`${number(n)} labels`}>{percent(agreement)}</span>,
        },
        {
          key: "licence",
          title: "Licence",
          className: "words",
          cell: ({ licence, commercial_use: commercial }) => `${licence}${commercial === false ? " (no commercial use)" : commercial == null ? " (commercial use unknown)" : ""}`,
        },
      ]}
      rows={sets}
      rowKey={({ name }) => name}
      param="sets"
    />
  );
}
