/** Decisions: did it train again, why or why not, and what came of it? */
import type { PageProps } from "..";
import type { Schemas } from "../../api/client";
import { useDecisions, useExperiments, useRuns } from "../../api/queries";
import { Badge, type Tone } from "../../parts/badge";
import { Card, Grid } from "../../parts/card";
import { Empty } from "../../parts/empty";
import { duration, words } from "../../parts/format";
import { Loaded } from "../../parts/loaded";
import { None } from "../../parts/none";
import { Page } from "../../parts/page";
import { RunLink } from "../../parts/run-link";
import { Table } from "../../parts/table";
import { Time } from "../../parts/time";
import { Evidence } from "./evidence";
import { Proposal } from "./proposal";
import "./decisions.css";

type Decision = Schemas["RetrainDecision"];

export default function Decisions({ title, question }: PageProps) {
  const decisions = useDecisions({ limit: 50 });
  const experiments = useExperiments({ limit: 1 });
  const runs = useRuns({ limit: 50 });
  return (
    <Page title={title} question={question}>
      <Grid>
        <Card title="What the gate proposes" wide>
          <Loaded query={experiments} what="The gate's evidence">
            {(told) => <Proposal told={told} />}
          </Loaded>
        </Card>
        <Card title="Train again?" wide>
          <Loaded query={decisions} what="The decisions">
            {({ decisions: rows }) =>
              rows.length === 0 ? (
                <Empty title="Nothing was decided yet" command="sentiment-platform run monitor_job">
                  Monitoring looks at drift, accuracy and age, and decides:
                </Empty>
              ) : (
                <ol className="decisions">
                  {rows.map((decision) => (
                    <Told key={decision.id} decision={decision} />
                  ))}
                </ol>
              )
            }
          </Loaded>
        </Card>
        <Card title="What ran" wide>
          <Loaded query={runs} what="The runs">
            {({ runs_known: known, runs: rows }) => <Runs known={known} runs={rows} />}
          </Loaded>
        </Card>
      </Grid>
    </Page>
  );
}

const Told = ({ decision }: { decision: Decision }) => (
  <li>
    <p>
      <Badge tone={decision.retrain ? "accent" : "plain"}>{decision.retrain ? "trains" : "does not train"}</Badge> <Time at={decision.decided_at} />:{" "}
      <strong>{decision.reason}</strong>
    </p>
    {decision.retrain && (
      <p className="note">
        {decision.run ? (
          <>
            <RunLink id={decision.run.run_id}>The run</RunLink> {words(decision.run.status.toLowerCase())}
            {!decision.run.asked_for && ", the first that was made after it"}, <Time at={decision.run.ended_at ?? decision.run.created_at} />.
          </>
        ) : (
          "No training has followed yet."
        )}
      </p>
    )}
    {decision.evidence && (
      <details>
        <summary>What was weighed</summary>
        <Evidence evidence={decision.evidence} />
      </details>
    )}
  </li>
);

const STATES: Record<string, Tone> = { SUCCESS: "good", FAILURE: "critical", CANCELED: "warning", STARTED: "accent" };

function Runs({ known, runs }: { known: boolean; runs: readonly Schemas["Run"][] }) {
  if (!known) return <Empty title="Runs are not known here">Serving cannot read the tables of Dagster: they are in another database, or it may not.</Empty>;
  if (runs.length === 0) return <Empty title="Nothing ran yet" command="sentiment-platform run collect_job" />;
  return (
    <Table
      caption="Runs, newest first"
      columns={[
        { key: "job", title: "Job", heading: true, sort: ({ job }) => job, cell: ({ job, run_id: id }) => <RunLink id={id}>{job}</RunLink> },
        { key: "state", title: "State", sort: ({ status }) => status, cell: ({ status }) => <Badge tone={STATES[status] ?? "plain"}>{words(status.toLowerCase())}</Badge> },
        { key: "at", title: "Made", sort: ({ created_at: at }) => at, cell: ({ created_at: at }) => <Time at={at} /> },
        {
          key: "took",
          title: "Took",
          numeric: true,
          sort: (run) => seconds(run),
          cell: (run) => {
            const took = seconds(run);
            return took == null ? <None why="it has not ended" /> : duration(took);
          },
        },
        { key: "partition", title: "Of", className: "words", cell: ({ partition }) => partition?.replace("/", " to ") ?? "" },
        { key: "by", title: "Asked by", className: "words", cell: ({ asked_by: by, trigger, reason }) => [by ?? trigger, reason].filter(Boolean).join(": ") || <None why="the run does not say" /> },
        { key: "failed", title: "Failed steps", className: "words", cell: ({ failed_steps: steps }) => (steps.length ? steps.join(", ") : "") },
      ]}
      rows={runs}
      rowKey={({ run_id: id }) => id}
      param="runs"
    />
  );
}

const seconds = ({ started_at: started, ended_at: ended }: Schemas["Run"]): number | null =>
  started && ended ? (new Date(ended).getTime() - new Date(started).getTime()) / 1000 : null;

