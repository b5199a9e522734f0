import { expect, it } from "vitest";
import { liveSince } from "./live-since";

const named = (revision: number, ...versions: string[]) => ({
  revision,
  published_at: `2026-03-0${revision}T10:00:00Z`,
  champions: Object.fromEntries(versions.map((version) => [version.split("-")[1] ?? "", { version, manifest_digest: "d" }])),
});
const restarted = "2026-03-09T07:00:00Z";
const answering = (version: string, selectedAt?: string) => ({
  version,
  since: restarted,
  selection: selectedAt ? { actor: "dana", reason: "reads better", requested_at: selectedAt, recorded: true } : null,
});

it("counts from the first deployment in a row that names the version, whatever else these changed", () => {
  const deployments = [named(3, "v2-a", "v1-b"), named(2, "v1-a", "v1-b"), named(1, "v1-a", "v1-b")];
  expect(liveSince(answering("v2-a"), 3, deployments)).toBe("2026-03-03T10:00:00Z");
  expect(liveSince(answering("v1-b"), 3, deployments)).toBe("2026-03-01T10:00:00Z");
});

it("begins again where a rollback brought it back", () => {
  expect(liveSince(answering("v1-a"), 3, [named(3, "v1-a"), named(2, "v2-a"), named(1, "v1-a")])).toBe("2026-03-03T10:00:00Z");
});

it("counts a version that the deployment does not name from its selection, whenever the process started", () => {
  const deployments = [named(2, "v2-a", "v1-b"), named(1, "v1-a", "v1-b")];
  expect(liveSince(answering("v1-a", "2026-03-08T08:03:00Z"), 2, deployments)).toBe("2026-03-08T08:03:00Z");
  expect(liveSince(answering("v1-b", "2026-03-08T08:03:00Z"), 2, deployments), "it answered before").toBe("2026-03-01T10:00:00Z");
});

it("leaves out a deployment that the process has not brought live, and takes its word where nothing else is known", () => {
  const deployments = [named(3, "v3-a"), named(2, "v2-a")];
  expect(liveSince(answering("v2-a"), 2, deployments)).toBe("2026-03-02T10:00:00Z");
  expect(liveSince(answering("v2-a"), 2, [])).toBe(restarted);
});
