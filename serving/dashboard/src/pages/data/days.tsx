/** Articles that came on each day, and what of it waits in quarantine. */
import type { Schemas } from "../../api/client";
import { Empty } from "../../parts/empty";
import { number } from "../../parts/format";
import { Table } from "../../parts/table";

export function Days({ days }: { days: readonly Schemas["NewsDay"][] }) {
  if (days.length === 0) return <Empty title="Nothing came in two weeks" command="sentiment-platform run collect_job" />;
  return (
    <Table
      caption="What came, by day"
      columns={[
        { key: "day", title: "Day", heading: true, sort: ({ day }) => day, cell: ({ day }) => day },
        { key: "stored", title: "Articles", numeric: true, sort: ({ stored }) => stored, cell: ({ stored }) => number(stored) },
        {
          key: "waiting",
          title: "Refused",
          numeric: true,
          sort: ({ waiting_items: items, waiting_articles: articles }) => items + articles,
          cell: ({ waiting_items: items, waiting_articles: articles }) => number(items + articles),
        },
      ]}
      rows={days}
      rowKey={({ day }) => day}
      param="days"
    />
  );
}
