/** Words that weigh otherwise than in the version that was deployed before, with how many training texts have them. */
import type { Schemas } from "../../api/client";
import { counted, number, signed, words } from "../../parts/format";
import { Table } from "../../parts/table";

export function MovedTerms({ moved }: { moved: Schemas["TermsMoved"] }) {
  const constants = Object.entries(moved.constants);
  return (
    <>
      <p className="note">
        {counted(moved.count, "term")} moved against the version that was deployed before
        {moved.count > moved.most.length && `; these ${moved.most.length} moved most`}.
      </p>
      <Table
        caption="Terms that moved most"
        columns={[
          { key: "term", title: "Term", heading: true, sort: ({ term }) => term, cell: ({ term }) => term },
          { key: "old", title: "Weighed", numeric: true, sort: ({ old_valence: old }) => old, cell: ({ old_valence: old }) => signed(old) },
          { key: "new", title: "Weighs", numeric: true, sort: ({ new_valence: now }) => now, cell: ({ new_valence: now }) => signed(now) },
          {
            key: "moved",
            title: "Moved",
            numeric: true,
            sort: ({ old_valence: old, new_valence: now }) => Math.abs(now - old),
            cell: ({ old_valence: old, new_valence: now }) => signed(now - old),
          },
          { key: "evidence", title: "Training texts", numeric: true, sort: ({ evidence }) => evidence, cell: ({ evidence }) => number(evidence) },
        ]}
        rows={moved.most}
        rowKey={({ term }) => term}
        param="terms"
      />
      {constants.length > 0 && (
        <p className="note">
          Rules changed: {constants.map(([name, [before, after]]) => `${words(name)} ${number(before, 3)} → ${number(after, 3)}`).join(", ")}.
        </p>
      )}
    </>
  );
}
