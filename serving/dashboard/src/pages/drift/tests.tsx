/** Every test of a report as a table; a subject's name shows its distributions. */
import type { Schemas } from "../../api/client";
import { Badge } from "../../parts/badge";
import { Button } from "../../parts/button";
import { number } from "../../parts/format";
import { None } from "../../parts/none";
import { Table } from "../../parts/table";
import { TEST_NAMES } from "./map";

interface Props {
  tests: readonly Schemas["DriftTestResult"][];
  chosen: string;
  onChoose: (subject: string) => void;
}

const figure = (value: number | null, digits = 3) => (value == null ? <None why="this test says nothing of it" /> : number(value, digits));

export const Tests = ({ tests, chosen, onChoose }: Props) => (
  <Table
    caption="Every test of the report"
    columns={[
      {
        key: "subject",
        title: "Subject",
        heading: true,
        sort: ({ subject }) => subject,
        cell: ({ subject }) => (
          <Button kind="quiet" aria-pressed={subject === chosen} onClick={() => onChoose(subject)}>
            {subject}
          </Button>
        ),
      },
      { key: "test", title: "Test", sort: ({ test }) => test, cell: ({ test }) => TEST_NAMES[test] },
      { key: "statistic", title: "Statistic", numeric: true, sort: ({ statistic }) => statistic, cell: ({ statistic }) => figure(statistic) },
      { key: "threshold", title: "Matters from", numeric: true, cell: ({ threshold }) => number(threshold, 2) },
      { key: "p", title: "p after Holm", numeric: true, sort: ({ adjusted_p_value: p }) => p, cell: ({ adjusted_p_value: p }) => (p != null && p < 0.001 ? "< 0.001" : figure(p)) },
      { key: "effect", title: "Effect", numeric: true, cell: ({ effect_size: effect }) => figure(effect, 2) },
      {
        key: "windows",
        title: "Windows moved",
        numeric: true,
        sort: ({ windows_moved: weeks }) => weeks,
        cell: ({ windows_moved: weeks }) => (weeks == null ? <None why="an old report" /> : `${weeks} of 3`),
      },
      {
        key: "drifted",
        title: "Verdict",
        sort: ({ drifted, statistic }) => (statistic == null ? -1 : Number(drifted)),
        cell: ({ drifted, statistic }) => (drifted ? <Badge tone="warning">drifted</Badge> : statistic == null ? <span className="soft">not tested</span> : "within bounds"),
      },
    ]}
    rows={tests}
    rowKey={({ subject, test }) => `${subject} ${test}`}
    param="tests"
  />
);
