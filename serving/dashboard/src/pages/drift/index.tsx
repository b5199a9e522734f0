/** Drift: is what is asked and answered different from the weeks before, where, and since when? And how does it fit the version? */
import type { PageProps } from "..";
import type { Schemas } from "../../api/client";
import { useDrift, useDriftReport, useDriftReports, useStatus } from "../../api/queries";
import { HeatMap } from "../../charts";
import { Badge, type Tone } from "../../parts/badge";
import { Card } from "../../parts/card";
import { Empty } from "../../parts/empty";
import { Select } from "../../parts/field";
import { counted, number } from "../../parts/format";
import { Loaded } from "../../parts/loaded";
import { Page } from "../../parts/page";
import { Tabs } from "../../parts/tabs";
import { Time } from "../../parts/time";
import { useChoice, useParam, useSetParams } from "../../parts/url";
import { subjectsByDrift, TEST_NAMES, type Test, times, windows } from "./map";
import { Subject } from "./subject";
import { Tests } from "./tests";

const TESTS = (["ks", "psi", "auc"] as const).map((value) => ({ value, title: TEST_NAMES[value] }));
const TONES: Record<string, Tone> = { none: "good", low: "plain", medium: "warning", high: "critical" };

export default function Drift({ title, question }: PageProps) {
  const status = useStatus();
  const reports = useDriftReports({ limit: 60 });
  const [given, setVersion] = useParam("version");
  const [test, setTest] = useChoice<Test>("test", ["ks", "psi", "auc"]);
  const versions = [...new Set(reports.data?.reports.map(({ version }) => version) ?? [])];
  const answering = status.data?.default_family ? status.data.families[status.data.default_family]?.version : undefined;
  const version = versions.find((name) => name === given) ?? versions.find((name) => name === answering) ?? versions[0] ?? null;
  const fit = useDrift().data?.fits.find((one) => one.version === version);
  return (
    <Page
      title={title}
      question={question}
      controls={
        versions.length > 0 && (
          <div className="row">
            <Select label="Version" value={version ?? ""} onChange={(event) => setVersion(event.target.value)}>
              {versions.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </Select>
            <Tabs label="Test" values={TESTS} chosen={test} onChoose={setTest} />
          </div>
        )
      }
    >
      <Loaded query={reports} what="The drift reports">
        {({ reports: all }) => {
          const own = windows(all.filter((report) => report.version === version));
          return own.length === 0 ? (
            <Empty title="No drift report yet" command="sentiment-platform run monitor_job">
              A report needs questions to a deployed version. Monitoring writes it:
            </Empty>
          ) : (
            <Reports reports={own} test={test} fit={fit?.words} />
          );
        }}
      </Loaded>
    </Page>
  );
}

function Reports({ reports, test, fit }: { reports: readonly Schemas["DriftReportSummary"][]; test: Test; fit: string | undefined }) {
  const [givenReport] = useParam("report");
  const setParams = useSetParams();
  const [givenSubject, setSubject] = useParam("subject");
  const newest = reports[reports.length - 1];
  const chosen = reports.find(({ report_id: id }) => id === givenReport) ?? newest;
  const detail = useDriftReport(chosen?.report_id ?? null);
  const subjects = subjectsByDrift(reports, test);
  const subject = subjects.find((name) => name === givenSubject) ?? subjects[0] ?? "";
  if (!chosen || !newest) return null;
  return (
    <>
      <Card
        title="Features, scores and texts, window by window"
        aside={
          <>
            newest: <Badge tone={TONES[newest.severity] ?? "plain"}>{newest.severity}</Badge> <Time at={newest.created_at} ago />
          </>
        }
      >
        <p className="note">
          A cell shows how far the last week is from the weeks before, against the threshold at which it matters (1.0). ◆ marks what is beyond it, no
          chance (p after Holm below 0.05), and so in two of three weeks. Choose one to see the two distributions below. The clock is shown and
          never marked.
        </p>
        {fit && <p className="note">{fit}</p>}
        <HeatMap
          title={`${TEST_NAMES[test]} against its threshold`}
          rows={subjects}
          columns={reports.map(({ window_end: end }) => windowTitle(end))}
          mark="beyond the threshold"
          cell={(row, column) => {
            const tested = reports[column]?.tests.find((one) => one.subject === subjects[row] && one.test === test);
            if (!tested || tested.statistic == null) return { shade: null, text: "not tested" };
            const reached = times(test, tested.statistic, tested.threshold);
            return { shade: Math.min(1, reached / 2), text: `${number(reached, 2)} of the threshold`, marked: tested.drifted };
          }}
          chosen={{ row: subjects.indexOf(subject), column: reports.indexOf(chosen) }}
          onChoose={(row, column) => {
            const report = reports[column];
            setParams({ report: report && report !== newest ? report.report_id : null, subject: subjects[row] ?? null });
          }}
        />
      </Card>
      <Loaded query={detail} what="The report">
        {(report) => (
          <>
            <Subject report={report} subject={subject} />
            <Card
              title="Every test of this report"
              aside={
                <>
                  {counted(report.texts, "text")} until <Time at={report.window_end} />
                </>
              }
            >
              <Tests tests={report.tests} chosen={subject} onChoose={setSubject} />
            </Card>
          </>
        )}
      </Loaded>
    </>
  );
}

/** With its time, so that two windows of one day have two names. */
const windowTitle = (end: string): string =>
  new Date(end).toLocaleString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
