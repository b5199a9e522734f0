import { expect, test } from "vitest";
import type { Schemas } from "../../api/client";
import { meaning, type Seen, switched } from "./switched";

const turned = { name: "transformer", allows: "", enabled: false, revision: 3, reason: "wrong since noon", actor: "mara", changed_at: "2025-03-10T12:00:00Z" };
const told = (flag: Schemas["FlagShown"] = turned): Schemas["FlagList"] => ({ flags: [flag], here: { transformer: flag.enabled }, replica: "a", missing: null });
const everywhere = (seen: Seen, answered: string[] = [], ageMs = 5_000, now = told()) => switched(turned, now, seen, new Set(answered), ageMs)[2];

test("a change is everywhere once each replica that was asked, and each that answered since, goes by it", () => {
  expect(everywhere(new Map([["a", false], ["b", false]]), ["b"])?.state).toBe("done");
  expect(everywhere(new Map([["a", false], ["b", true]]))).toMatchObject({ state: "waiting", detail: expect.stringContaining("1 of 2") });
  expect(everywhere(new Map([["a", false]]), ["a", "b"])).toMatchObject({ state: "waiting", detail: expect.stringContaining("1 more") });
  expect(everywhere(new Map())?.state).toBe("waiting");
});

test("nobody is believed before the time has passed in which others hear of it", () => {
  expect(everywhere(new Map([["a", false]]), [], 500)?.state).toBe("waiting");
});

test("whoever turns it again ends the waiting by name", () => {
  const again = told({ ...turned, enabled: true, revision: 4, actor: "jonas", reason: "right again" });
  expect(everywhere(new Map([["a", true]]), [], 5_000, again)).toMatchObject({ state: "failed", detail: "jonas turned it again: right again" });
});

test("the API's text has two halves, and one without them stays whole", () => {
  expect(meaning("Arms take part. Off: the champions answer.")).toEqual({ on: "Arms take part.", off: "The champions answer." });
  expect(meaning("Of tomorrow.")).toEqual({ on: "Of tomorrow.", off: "Of tomorrow." });
});
