import { describe, expect, it } from "vitest";
import type { Schemas } from "../../api/client";
import { progress } from "./progress";
import { spans } from "./spans";

const deployment = (revision: number, at: string, champions: Record<string, string>) =>
  ({
    revision,
    published_at: at,
    champions: Object.fromEntries(Object.entries(champions).map(([family, version]) => [family, { version, manifest_digest: "" }])),
  }) as unknown as Schemas["DeploymentShown"];

describe("spans", () => {
  it("go on while deployments name the same version, whatever the order they come in", () => {
    const told = spans([
      deployment(3, "2026-01-03T00:00:00Z", { vader: "v1", finbert: "f2" }),
      deployment(1, "2026-01-01T00:00:00Z", { vader: "v1" }),
      deployment(2, "2026-01-02T00:00:00Z", { vader: "v1", finbert: "f1" }),
    ]);
    expect(told.map(({ name, end }) => [name, end?.slice(0, 10) ?? null])).toEqual([
      ["f1", "2026-01-03"],
      ["f2", null],
      ["v1", null],
    ]);
  });

  it("end where a selection that is not published yet took their place, and go on where it chose what answered already", () => {
    const deployments = [deployment(1, "2026-01-01T00:00:00Z", { vader: "v1", finbert: "f2" })];
    const selection = { actor: "dana", reason: "reads better", requested_at: "2026-01-04T00:00:00Z", recorded: true };
    const live = (version: string) => ({ version, selection }) as unknown as Schemas["FamilyStatus"];
    const told = spans(deployments, { vader: live("v1"), finbert: live("f1") });
    expect(told.map(({ name, start, end }) => [name, start.slice(0, 10), end?.slice(0, 10) ?? null])).toEqual([
      ["f2", "2026-01-01", "2026-01-04"],
      ["f1", "2026-01-04", null],
      ["v1", "2026-01-01", null],
    ]);
    expect(told[1]?.note).toBe("selected by dana: reads better, not published yet");
  });

  it("end where a deployment leaves a family out", () => {
    const [span] = spans([deployment(1, "2026-01-01T00:00:00Z", { vader: "v1" }), deployment(2, "2026-01-02T00:00:00Z", {})]);
    expect(span?.end).not.toBeNull();
  });
});

const answer = { request_id: "r1", default_family_before: "vader", recorded: true, default_family: "vader", before: { vader: "v2" }, after: { vader: "v1" }, dry_run: false, revision: 3, evidence: [] };
const ASKED = "2026-01-01T00:00:00Z";
const replica = (version: string, at = "2026-01-01T00:00:05Z") => ({ replica: version, family: "vader", version, revision: 1, answered_at: at });
const selection = (state: "open" | "published" | "refused") =>
  ({ request_id: "r1", family: "vader", version: "v1", requested_at: ASKED, state, published_revision: state === "published" ? 4 : null, refusal: state === "refused" ? "Not signed." : null }) as Schemas["RecordedSelection"];
const states = (selections: Schemas["RecordedSelection"][], replicas: Schemas["ReplicaAnswer"][], atOnce = true) =>
  progress(answer, { as_of: "", replicas_since: "", selections, replicas }, atOnce).map(({ state }) => state);

describe("progress", () => {
  it("waits until the row is there, every replica has it, and the graph has published it", () => {
    expect(states([], [])).toEqual(["done", "waiting", "waiting", "waiting"]);
    expect(states([selection("open")], [replica("v1"), replica("v2")])).toEqual(["done", "done", "waiting", "waiting"]);
    expect(states([selection("published")], [replica("v1")])).toEqual(["done", "done", "done", "done"]);
  });

  it("does not wait for a process that has ended: what it answered before says nothing", () => {
    expect(states([selection("open")], [replica("v1"), replica("v2", "2025-12-31T23:59:00Z")])).toEqual(["done", "done", "done", "waiting"]);
    expect(states([selection("open")], [replica("v1", "2025-12-31T23:59:00Z")])).toEqual(["done", "done", "waiting", "waiting"]);
  });

  it("of a promotion ends with the replicas, which answer by it only after the graph has published it", () => {
    expect(states([selection("open")], [replica("v2")], false)).toEqual(["done", "waiting", "waiting"]);
    expect(states([selection("published")], [replica("v1"), replica("v2")], false)).toEqual(["done", "done", "waiting"]);
    expect(states([selection("published")], [replica("v1")], false)).toEqual(["done", "done", "done"]);
  });

  it("says that the graph refused it", () => {
    expect(states([selection("refused")], [replica("v1")])).toEqual(["done", "done", "done", "failed"]);
  });
});
