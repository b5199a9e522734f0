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
    expect(windowName("outcome")).toBe("outcome");
  });
});

describe("byVersion", () => {
  it("puts live versions first and promises before what was seen", () => {
    const told = byVersion([figure("v2", "feedback:7d"), figure("v1", "feedback:7d"), figure("v1", "holdout:a")], ["v1"]);
    expect(told.map(({ version }) => version)).toEqual(["v1", "v2"]);
    expect(told[0]?.figures.map(({ window }) => window)).toEqual(["holdout:a", "feedback:7d"]);
  });
});
