import { expect, test } from "vitest";
import { everyPeriod } from "./periods";

const starts = (periods: { at: string }[]) => periods.map(({ at }) => at);

test("an hour without a request stands between the others, without counts", () => {
  const counted = [{ start: "2026-03-02T08:00:00Z" }, { start: "2026-03-02T10:00:00Z" }];
  const periods = everyPeriod(counted, "hour", "2026-03-02T07:30:00Z", "2026-03-02T10:59:00Z");
  expect(starts(periods)).toEqual(["07", "08", "09", "10"].map((hour) => `2026-03-02T${hour}:00:00.000Z`));
  expect(periods.map(({ counts }) => counts != null)).toEqual([false, true, false, true]);
});

test("weeks begin on Monday, as the API's do", () => {
  const periods = everyPeriod([{ start: "2026-03-02T00:00:00Z" }], "week", "2026-02-20T12:00:00Z", "2026-03-05T12:00:00Z");
  expect(starts(periods)).toEqual(["2026-02-16", "2026-02-23", "2026-03-02"].map((day) => `${day}T00:00:00.000Z`));
});

test("what starts elsewhere than expected is not lost", () => {
  const periods = everyPeriod([{ start: "2026-03-01T05:30:00Z" }], "day", "2026-03-01T00:00:00Z", "2026-03-01T09:00:00Z");
  expect(starts(periods)).toEqual(["2026-03-01T00:00:00.000Z", "2026-03-01T05:30:00.000Z"]);
});
