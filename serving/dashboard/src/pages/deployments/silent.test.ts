import { expect, test } from "vitest";
import type { Schemas } from "../../api/client";
import { silentReplicas } from "./silent";

const told = (...answered: [string, string][]) =>
  [...silentReplicas({ as_of: "2026-11-29T12:10:00Z", replicas: answered.map(([replica, at]) => ({ replica, answered_at: `2026-11-29T12:${at}Z` }) as Schemas["ReplicaAnswer"]) })];

test("one that answered nothing for a minute while another did is silent, by its newest answer of any family", () => {
  expect(told(["a", "09:50"], ["b", "05:00"], ["c", "05:00"], ["c", "09:10"])).toEqual(["b"]);
});

test("where nobody was asked nobody is silent", () => {
  expect(told(["a", "05:00"], ["b", "04:00"])).toEqual([]);
});
