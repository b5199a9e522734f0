import { describe, expect, it } from "vitest";
import type { Schemas } from "../../api/client";
import { standing } from "./standing";

const source = (over: Partial<Schemas["SourceStatus"]>) =>
  ({ consecutive_failures: 0, last_failure: null, more_waits: false, last_success_at: "2026-01-01T00:00:00Z", ...over }) as Schemas["SourceStatus"];

describe("standing", () => {
  it("is good for a source that came, and says so when it goes on", () => {
    expect(standing(source({})).word).toBe("comes");
    expect(standing(source({ last_success_at: null, last_collection: { stored: 1 } as Schemas["LastCollection"] })).word).toBe("imported");
    expect(standing(source({ more_waits: true })).word).toBe("goes on");
  });

  it("warns of one failure, and is critical after three or where it never came", () => {
    expect(standing(source({ consecutive_failures: 1, last_failure: "404" }))).toMatchObject({ tone: "warning", why: "404" });
    expect(standing(source({ consecutive_failures: 3 })).tone).toBe("critical");
    expect(standing(source({ consecutive_failures: 1, last_success_at: null })).tone).toBe("critical");
  });
});
