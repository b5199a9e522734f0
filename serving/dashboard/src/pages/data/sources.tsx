/** One row a source: when it last came, what went wrong, what it brought each day, how often it was asked today. */
import type { Schemas } from "../../api/client";
import { Badge } from "../../parts/badge";
import { number } from "../../parts/format";
import { None } from "../../parts/none";
import { Table } from "../../parts/table";
import { Time } from "../../parts/time";
import { standing } from "./standing";

type Source = Schemas["SourceStatus"];

export function Sources({ sources }: { sources: readonly Source[] }) {
  return (
    <Table
      caption="News sources"
      columns={[
        { key: "source", title: "Source", heading: true, sort: ({ source }) => source, cell: ({ source }) => source },
        {
          key: "state",
          title: "State",
          sort: ({ consecutive_failures: failures }) => failures,
          cell: (source) => {
            const { tone, word, why } = standing(source);
            return (
              <>
                <Badge tone={tone} title={why}>
                  {word}
                </Badge>{" "}
                {tone !== "plain" && tone !== "good" && <span className="note">{why}</span>}
              </>
            );
          },
        },
        { key: "success", title: "Last came", sort: ({ last_success_at: at }) => at, cell: ({ last_success_at: at }) => <Time at={at} ago missing="it never came" /> },
        {
          key: "last",
          title: "Last time",
          className: "words",
          cell: ({ last_collection: last }) =>
            last ? (
              <>
                {number(last.stored)} new of {number(last.fetched)}
                {last.duplicate > 0 && `, ${number(last.duplicate)} known`}
                {last.quarantined > 0 && `, ${number(last.quarantined)} refused`}
              </>
            ) : (
              <None why="no collection is on record" />
            ),
        },
        { key: "days", title: "New a day", cell: ({ days }) => <DayBars days={days} /> },
        { key: "requests", title: "Asked today", numeric: true, sort: ({ requests_today: asked }) => asked, cell: ({ requests_today: asked }) => number(asked) },
        { key: "items", title: "Items ever", numeric: true, sort: ({ items_seen: seen }) => seen, cell: ({ items_seen: seen }) => number(seen) },
        {
          key: "cache",
          title: "Asks “only if changed”",
          cell: ({ validators }) => (validators.broken ? "no: it lied" : validators.etag || validators.last_modified ? "yes" : <None why="the source gives nothing to ask by" />),
        },
      ]}
      rows={sources}
      rowKey={({ source }) => source}
      param="sort"
      order="source"
    />
  );
}

/** A bar a day; the words are for screen readers and the pointer. */
function DayBars({ days }: { days: Source["days"] }) {
  if (days.length === 0) return <None why="nothing was collected in seven days" />;
  const most = Math.max(1, ...days.map(({ stored }) => stored));
  const told = days.map(({ day, stored, failed }) => `${day}: ${stored} new${failed ? `, ${failed} failed` : ""}`).join("; ");
  return (
    <span className="day-bars" title={told}>
      <span className="unseen">{told}</span>
      {days.map(({ day, stored, failed }) => (
        <span key={day} aria-hidden="true" className={failed > 0 ? "bar failed" : "bar"} style={{ height: `${Math.max(6, (100 * stored) / most)}%` }} />
      ))}
    </span>
  );
}
