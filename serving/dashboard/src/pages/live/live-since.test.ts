import { expect, it } from "vitest";
import { liveSince } from "./live-since";

const named = (revision: number, ...versions: string[]) => ({
  revision,
  published_at: `2026-03-0${revision}T10:00:00Z`,
  champions: Object.fromEntries(versions.map((version) => [version.split("-")[1] ?? "", { version, manifest_digest: "d" }])),
});

it("counts from the first deployment in a row that names the version, whatever else these changed", () => {
  const deployments = [named(3, "v2-a", "v1-b"), named(2, "v1-a", "v1-b"), named(1, "v1-a", "v1-b")];
  expect(liveSince("v2-a", deployments)).toBe("2026-03-03T10:00:00Z");
  expect(liveSince("v1-b", deployments)).toBe("2026-03-01T10:00:00Z");
});

it("begins again where a rollback brought it back", () => {
  expect(liveSince("v1-a", [named(3, "v1-a"), named(2, "v2-a"), named(1, "v1-a")])).toBe("2026-03-03T10:00:00Z");
  expect(liveSince("v2-a", [named(3, "v1-a"), named(2, "v2-a"), named(1, "v1-a")])).toBeNull();
});
