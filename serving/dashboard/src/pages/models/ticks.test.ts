import { describe, expect, it } from "vitest";
import { ticked, toggled } from "./ticks";

describe("ticks", () => {
  it("are at most two, and each once", () => {
    expect(ticked("a,b,a,c")).toEqual(["a", "b"]);
    expect(ticked(null)).toEqual([]);
  });

  it("go away when ticked again, and a third takes the place of the first", () => {
    expect(toggled(["a", "b"], "a")).toEqual(["b"]);
    expect(toggled(["a", "b"], "c")).toEqual(["b", "c"]);
  });
});
