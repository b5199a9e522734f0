import { describe, expect, it } from "vitest";
import type { Schemas } from "../../api/client";
import { byVersion, windowName } from "./windows";

const figure = (version: string, window: string) => ({ version, window }) as Schemas["PerformanceFigure"];

describe("windowName", () => {
  it("says in words what was measured on", () => {
    expect(windowName("holdout:9b48c8d3d200")).toBe("holdout 9b48c8d3");
    expect(windowName("feedback:7d")).toBe("feedback of 7 days");
    expect(windowName("feedback:1d")).toBe("feedback of 1 day");
    expect(windowName("folds:9b48c8d3d200")).toBe("k-fold 9b48c8d3");
    expect(windowName("audit:7d")).toBe("audit sample of 7 days");
    expect(windowName("estimated:7d")).toBe("estimate without labels of 7 days");
    expect(windowName("outcome")).toBe("outcome");
  });
});

describe("byVersion", () => {
  it("puts live versions first, promises before what was seen, and the audit before what does not judge", () => {
    const windows = ["feedback:7d", "estimated:7d", "holdout:a", "audit:7d"];
    const told = byVersion([figure("v2", "feedback:7d"), ...windows.map((window) => figure("v1", window))], ["v1"]);
    expect(told.map(({ version }) => version)).toEqual(["v1", "v2"]);
    expect(told[0]?.figures.map(({ window }) => window)).toEqual(["holdout:a", "audit:7d", "feedback:7d", "estimated:7d"]);
  });
});
