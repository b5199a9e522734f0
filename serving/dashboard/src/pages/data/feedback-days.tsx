/** Feedback that came on each day: with an API key, and without one, which is counted and nothing more. */
import type { Schemas } from "../../api/client";
import { Empty } from "../../parts/empty";
import { number } from "../../parts/format";
import { Table } from "../../parts/table";

export function FeedbackDays({ days }: { days: readonly Schemas["FeedbackDay"][] }) {
  if (days.length === 0) return <Empty title="Nobody said anything in two weeks" />;
  return (
    <Table
      caption="Feedback, by day"
      columns={[
        { key: "day", title: "Day", heading: true, sort: ({ day }) => day, cell: ({ day }) => day },
        { key: "voiced", title: "With a key", numeric: true, sort: ({ voiced }) => voiced, cell: ({ voiced }) => number(voiced) },
        {
          key: "anonymous",
          title: "Anonymous, not learnt from",
          numeric: true,
          sort: ({ anonymous }) => anonymous,
          cell: ({ anonymous }) => number(anonymous),
        },
      ]}
      rows={days}
      rowKey={({ day }) => day}
      param="feedback"
    />
  );
}
