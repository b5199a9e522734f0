/** Models: which versions are there, how good are they, what differs? Two ticked ones are compared. */
import { Link } from "wouter";
import type { PageProps } from "..";
import type { Schemas } from "../../api/client";
import { useVersions } from "../../api/queries";
import { Badge } from "../../parts/badge";
import { Card } from "../../parts/card";
import { Empty } from "../../parts/empty";
import { bytes, milliseconds } from "../../parts/format";
import { Loaded } from "../../parts/loaded";
import { None } from "../../parts/none";
import { Page } from "../../parts/page";
import { type Column, Table } from "../../parts/table";
import { Time } from "../../parts/time";
import { useParam } from "../../parts/url";
import { Measured, metricOf } from "../../parts/measured";
import { ticked, toggled } from "./ticks";

type Version = Schemas["VersionSummary"];

export default function Models({ title, question }: PageProps) {
  const versions = useVersions({ limit: 100 });
  const [given, setGiven] = useParam("compare");
  const chosen = ticked(given);
  const columns: readonly Column<Version>[] = [
    {
      key: "tick",
      title: <span className="unseen">Compare</span>,
      cell: ({ version }) => (
        <input
          type="checkbox"
          aria-label={`Compare ${version}`}
          checked={chosen.includes(version)}
          onChange={() => setGiven(toggled(chosen, version).join(",") || null)}
        />
      ),
    },
    {
      key: "version",
      title: "Version",
      heading: true,
      sort: ({ version }) => version,
      cell: ({ version, live }) => (
        <>
          <Link href={`/app/models/${version}`}>{version}</Link> {live && <Badge tone="good">live</Badge>}
        </>
      ),
    },
    { key: "state", title: "State", sort: ({ state }) => state, cell: ({ state }) => <Badge tone={state === "champion" ? "good" : "plain"}>{state}</Badge> },
    { key: "made", title: "Made", sort: ({ created_at: at }) => at, cell: ({ created_at: at }) => <Time at={at} /> },
    {
      key: "macro_f1",
      title: "Macro-F1",
      numeric: true,
      sort: ({ metrics }) => metricOf(metrics, "macro_f1")?.value ?? null,
      cell: ({ metrics }) => <Measured metric={metricOf(metrics, "macro_f1")} />,
    },
    {
      key: "accuracy",
      title: "Accuracy",
      numeric: true,
      sort: ({ metrics }) => metricOf(metrics, "accuracy")?.value ?? null,
      cell: ({ metrics }) => <Measured metric={metricOf(metrics, "accuracy")} />,
    },
    {
      key: "on",
      title: "On its own holdout",
      cell: ({ metrics, training_set: set }) => {
        const metric = metricOf(metrics, "macro_f1");
        return metric ? (
          <span title={metric.dataset}>
            {metric.n.toLocaleString("en")} texts of <code>{set.slice(0, 8)}</code>
          </span>
        ) : (
          <None why="it was not measured" />
        );
      },
    },
    {
      key: "latency",
      title: "A text takes",
      numeric: true,
      sort: ({ technical }) => technical?.latency_p50_ms ?? null,
      cell: ({ technical }) =>
        technical ? (
          <span title={`Median on one thread of ${technical.processor}; 95 % within ${milliseconds(technical.latency_p95_ms)}`}>
            {technical.latency_p50_ms < 0.1 ? "< 0.1 ms" : milliseconds(technical.latency_p50_ms)}
          </span>
        ) : (
          <None why="it was not measured" />
        ),
    },
    { key: "size", title: "Size", numeric: true, sort: ({ serving_bytes: size }) => size, cell: ({ serving_bytes: size }) => bytes(size) },
    {
      key: "deployed",
      title: "Deployed",
      sort: ({ last_revision: revision }) => revision,
      cell: ({ last_revision: revision }) =>
        revision == null ? <None why="no deployment ever named it" /> : <Link href={`/app/deployments?revision=${revision}`}>deploy {revision}</Link>,
    },
  ];
  const [a, b] = chosen;
  return (
    <Page title={title} question={question}>
      <Loaded query={versions} what="The versions">
        {({ versions: rows }) =>
          rows.length === 0 ? (
            <Empty title="No version yet" command="sentiment-platform run bootstrap_job">
              Nothing was trained, and the starters that the platform ships are not published. This does it in seconds:
            </Empty>
          ) : (
            <Card
              title={`${rows.length} versions`}
              aside={
                a && b ? (
                  <Link className="button primary" href={`/app/models/compare?a=${a}&b=${b}`}>
                    Compare the two
                  </Link>
                ) : (
                  <span className="note">Tick two to compare them.</span>
                )
              }
            >
              <p className="note">
                Each version was measured on the test part of its own training set, so only versions of the same set can be held against each
                other here. The comparison asks both on the same texts.
              </p>
              <Table
                caption="Registered versions"
                columns={columns}
                rows={rows}
                rowKey={({ version }) => version}
                param="sort"
              />
            </Card>
          )
        }
      </Loaded>
    </Page>
  );
}
