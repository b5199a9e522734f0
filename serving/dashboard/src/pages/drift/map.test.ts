import { describe, expect, it } from "vitest";
import type { Schemas } from "../../api/client";
import { subjectsByDrift, times, windows } from "./map";

const cell = (subject: string, statistic: number | null) => ({ subject, test: "ks" as const, statistic, threshold: 0.1, drifted: false });
const report = (id: string, end: string, created: string, tests = [cell("a", 0.1)]) =>
  ({ report_id: id, window_end: end, created_at: created, tests }) as Schemas["DriftReportSummary"];

describe("windows", () => {
  it("go from the oldest to the newest, and a window has its newest report", () => {
    const told = windows([report("3", "d2", "c3"), report("1", "d1", "c1"), report("2", "d2", "c2")]);
    expect(told.map(({ report_id: id }) => id)).toEqual(["1", "3"]);
  });
});

describe("subjectsByDrift", () => {
  it("puts what drifted most in the newest report first, and what was not tested last", () => {
    const reports = [report("1", "d1", "c1", [cell("old", 0.9)]), report("2", "d2", "c2", [cell("b", 0.1), cell("a", 0.3), cell("z", null)])];
    expect(subjectsByDrift(reports, "ks")).toEqual(["a", "b", "old", "z"]);
  });
});

describe("times", () => {
  it("counts an area under the curve from chance on", () => {
    expect(times("auc", 0.7, 0.7)).toBeCloseTo(1);
    expect(times("auc", 0.45, 0.7)).toBe(0);
    expect(times("ks", 0.2, 0.1)).toBeCloseTo(2);
  });
});
