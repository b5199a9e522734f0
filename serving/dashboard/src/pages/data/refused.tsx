/** Rows that broke a rule at a boundary, and what to do with them. */
import type { Schemas } from "../../api/client";
import { Empty } from "../../parts/empty";
import { number, words } from "../../parts/format";
import { Table } from "../../parts/table";

export function Refused({ rows }: { rows: readonly Schemas["RefusedRows"][] }) {
  if (rows.length === 0) return <Empty title="Nothing was refused">No row broke a rule.</Empty>;
  return (
    <>
      <Table
        caption="Refused rows by rule"
        columns={[
          { key: "rule", title: "Rule", heading: true, className: "words", sort: ({ rule }) => rule, cell: ({ rule }) => words(rule) },
          { key: "source", title: "Source", sort: ({ source }) => source, cell: ({ source }) => source },
          { key: "boundary", title: "At", cell: ({ boundary }) => words(boundary) },
          { key: "waiting", title: "Waiting", numeric: true, sort: ({ waiting }) => waiting, cell: ({ waiting }) => number(waiting) },
          { key: "released", title: "Released", numeric: true, cell: ({ released }) => number(released) },
        ]}
        rows={rows}
        rowKey={({ boundary, source, rule }) => `${boundary} ${source} ${rule}`}
        param="refused"
      />
      <p className="note">
        Nothing is lost: <code>sentiment-platform news quarantine</code> shows the rows.
      </p>
    </>
  );
}
