/** The map of drift: windows from the oldest to the newest, subjects with the strongest drift first. */
import type { Schemas } from "../../api/client";

type Summary = Schemas["DriftReportSummary"];

/** Reports in the order of their windows; of two on the same window the newer one. */
export function windows(reports: readonly Summary[]): Summary[] {
  const newest = new Map<string, Summary>();
  for (const report of [...reports].sort((a, b) => a.created_at.localeCompare(b.created_at))) newest.set(report.window_end, report);
  return [...newest.values()].sort((a, b) => a.window_end.localeCompare(b.window_end));
}

export type Test = Summary["tests"][number]["test"];
export const TEST_NAMES: Record<Test, string> = { ks: "Kolmogorov-Smirnov", psi: "PSI", auc: "Texts" };
const CHANCE: Record<Test, number> = { ks: 0, psi: 0, auc: 0.5 };

/** The statistic in units of its threshold; texts that cannot be told apart have an area of one half. */
export const times = (test: Test, statistic: number, threshold: number): number =>
  Math.max(0, (statistic - CHANCE[test]) / (threshold - CHANCE[test]));

/** Subjects by how far they are over the threshold in the newest report; those that it could not test come last, by name. */
export function subjectsByDrift(reports: readonly Summary[], test: Test): string[] {
  const names = new Set(reports.flatMap(({ tests }) => tests.filter((one) => one.test === test).map(({ subject }) => subject)));
  const last = reports[reports.length - 1];
  const strength = (name: string): number => {
    const cell = last?.tests.find((one) => one.subject === name && one.test === test);
    return cell && cell.statistic != null ? times(test, cell.statistic, cell.threshold) : -1;
  };
  return [...names].sort((a, b) => strength(b) - strength(a) || a.localeCompare(b));
}
