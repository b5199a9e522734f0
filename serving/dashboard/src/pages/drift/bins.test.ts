import { describe, expect, it } from "vitest";
import { bins } from "./bins";

describe("bins", () => {
  it("are shares of their own sample, and nothing of nothing", () => {
    expect(bins({ edges: [0, 1, 2], reference: [1, 3], current: [0, 0] })).toEqual([
      { low: 0, high: 1, reference: 0.25, current: 0 },
      { low: 1, high: 2, reference: 0.75, current: 0 },
    ]);
  });
});
