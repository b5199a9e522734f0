import { expect, test } from "vitest";
import type { Schemas } from "../../api/client";
import { unserved } from "./unserved";

const quiet = { journal_dropped: 0, shed: 0, feedback_rejected: 0, rollbacks: {}, unserved: { refused: {}, late: {}, degraded: {}, rate_limited: {}, keys_refused: {} } };
const shown = (process: object) => unserved({ ...quiet, ...process } as unknown as Schemas["ProcessCounts"]);

test("what counted nothing takes no place", () => {
  expect(shown({})).toEqual([]);
});

test("a tile has the sum, and says of what, the most first; a word of another release is shown as it came", () => {
  const [degraded] = shown({ unserved: { ...quiet.unserved, degraded: { queue: 2, reason_of_tomorrow: 1200 } } });
  expect(degraded).toMatchObject({ name: "Degraded", count: 1202, note: "a stand-in answered: 1,200 reason of tomorrow, 2 the model had too much to do" });
});

test("what is lost stands first, and an API without these figures shows what it has", () => {
  expect(shown({ journal_dropped: 1, shed: 2, unserved: undefined, rollbacks: undefined }).map(({ name }) => name)).toEqual(["Lost", "Shed"]);
  expect(shown({ journal_rejected: 3, shed: 2 }).map(({ name, count }) => [name, count])).toEqual([["Set aside", 3], ["Shed", 2]]);
});
