/** Which versions answered, as champions, as arms of an experiment and in shadow; and whether the arms got their shares. */
import type { Schemas } from "../../api/client";
import { useExperiments } from "../../api/queries";
import { Badge } from "../../parts/badge";
import { Empty } from "../../parts/empty";
import { counted, number, percent, words } from "../../parts/format";
import { Table } from "../../parts/table";
import { share } from "./shares";

const WRONG_SHARES = "blocked:shares_of_arms";

export function Answered({ counts }: { counts: Schemas["ProcessCounts"] }) {
  const { answers = [], arms = [], shadow } = counts;
  const all = answers.reduce((sum, row) => sum + row.answers, 0);
  return (
    <>
      {answers.length === 0 ? (
        <Empty title="It answered nothing yet">A question on the page Try makes it answer.</Empty>
      ) : (
        <Table
          caption="Answers by version and arm"
          columns={[
            { key: "version", title: "Version", heading: true, cell: ({ version }) => version },
            { key: "arm", title: "As", cell: ({ arm }) => (arm == null ? "champion" : <Badge tone="accent">{arm}</Badge>) },
            { key: "answers", title: "Answers", numeric: true, cell: (row) => number(row.answers) },
            { key: "share", title: "Share", numeric: true, cell: (row) => percent(share(row.answers, all)) },
          ]}
          rows={answers}
          rowKey={({ version, arm }) => `${version} ${arm}`}
        />
      )}
      {arms.filter(({ absent, failed = 0 }) => absent + failed > 0).map(({ experiment, arm, absent, failed = 0 }) => (
        <p key={`${experiment} ${arm}`} className="band warning">
          {counted(absent + failed, "request")} of arm {arm} ({experiment}) had another version's answer: its own was not loaded here for {number(absent)}, and failed at {number(failed)}.
        </p>
      ))}
      {shadow && (
        <p>
          In shadow, served to nobody: {number(shadow.answered)} answered
          {shadow.left_out > 0 && `, ${number(shadow.left_out)} left out for lack of time (the replay of the log asks them)`}
          {shadow.failed > 0 && <strong>, {number(shadow.failed)} failed</strong>}.
        </p>
      )}
      <Online />
    </>
  );
}

/** What each arm got of the units, beside what it should get. */
function Arms({ arms }: { arms: Schemas["OnlineArm"][] }) {
  const units = arms.reduce((sum, arm) => sum + arm.units, 0);
  return (
    <Table
      caption="Arms of the experiment, when it was last evaluated"
      columns={[
        { key: "arm", title: "Arm", heading: true, cell: ({ name, version }) => <>{version} <Badge tone="accent">{name}</Badge></> },
        { key: "units", title: "Units", numeric: true, cell: (arm) => number(arm.units) },
        { key: "share", title: "Share", numeric: true, cell: (arm) => percent(share(arm.units, units), 1) },
        { key: "planned", title: "Planned", numeric: true, cell: ({ weight }) => percent(weight, 1) },
        { key: "degraded", title: "By a stand-in", numeric: true, cell: ({ answers, degraded }) => `${number(degraded)} of ${number(answers)}` },
      ]}
      rows={arms}
      rowKey={({ name }) => name}
    />
  );
}

/** The experiment on traffic, where one runs: how it stands, and whether its arms got the units they should have. */
function Online() {
  const online = useExperiments({ limit: 1 }).data?.online;
  if (!online) return null;
  const wrong = online.verdict === WRONG_SHARES;
  // Another guardrail that blocks says nothing of the shares.
  const right = online.mode === "split" && online.verdict != null && !online.verdict.startsWith("blocked:");
  return (
    <>
      <div className={wrong ? "band critical" : ""}>
        <p>
          <strong>Experiment {online.experiment}</strong>, {online.mode}, phase {online.phase} <Badge tone={wrong ? "critical" : "plain"}>{online.verdict == null ? "not evaluated yet" : words(online.verdict)}</Badge>
        </p>
        <p>{wrong ? "The arms did not get their shares of the units, so no figure of this phase can be believed. " : right ? "The arms got their shares of the units. " : ""}{online.words}</p>
      </div>
      {online.arms && online.arms.length > 0 && <Arms arms={online.arms} />}
      <p className="note">{online.next_step}</p>
    </>
  );
}
