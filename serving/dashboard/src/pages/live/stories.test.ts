import { describe, expect, it } from "vitest";
import { byDay, familiesOf, isNew, MOST, type Story, withHead, withOlder } from "./stories";

const score = (scored_at = "2026-03-02T10:00:00Z") => ({
  version: "v1.0.0-x", label: "neutral" as const, sentiment: 0, scored_at, probabilities: { negative: 0, neutral: 1, positive: 0 },
});
/** Story `n`: the higher, the newer. */
const story = (n: number, more: Partial<Story> = {}): Story => ({
  story_id: `s${n}`, article_id: `a${n}`, headline: `Headline ${n}`, outlet: "desk", url: null, symbols: [],
  published_at: new Date(Date.UTC(2026, 2, 2, 0, n)).toISOString(), available_at: "2026-03-02T10:00:00Z", articles: 1, scores: {}, supported: true, agreement: null, corrected_at: null, earlier: [], ...more,
});
const page = (numbers: number[], next_cursor: string | null) => ({ as_of: "2026-03-02T10:00:00Z", items: numbers.map((n) => story(n)), next_cursor });
const ids = (stories: { items: readonly Story[] }) => stories.items.map(({ story_id }) => story_id);

describe("the newest page", () => {
  it("comes in front, and what falls off its end is kept with the cursor that goes on from there", () => {
    const before = withOlder(withHead(null, page([5, 4], "after4")), page([3, 2], "after2"));
    const after = withHead(before, page([6, 5], "after5"));
    expect(ids(after)).toEqual(["s6", "s5", "s4", "s3", "s2"]);
    expect(after.end).toBe("after2");
  });

  it("is right in its own range: a story that was taken back goes", () => {
    const before = withHead(null, page([5, 4, 3], "after3"));
    expect(ids(withHead(before, page([5, 3, 2], "after2")))).toEqual(["s5", "s3", "s2"]);
  });

  it("brings no gap: when nothing of it was there, what was there goes", () => {
    const before = withHead(null, page([3, 2], "after2"));
    const after = withHead(before, page([90, 89], "after89"));
    expect(ids(after)).toEqual(["s90", "s89"]);
    expect(after.end).toBe("after89");
  });

  it("is all there is where it has no cursor", () => {
    const before = withOlder(withHead(null, page([5, 4], "after4")), page([3], null));
    expect(withHead(before, page([5], null))).toEqual({ items: [story(5)], end: null });
  });

  it("carries the scores that came since", () => {
    const before = withHead(null, page([2, 1], "after1"));
    const scored = { ...page([2, 1], "after1"), items: [story(2, { scores: { x: score() } }), story(1)] };
    expect(withHead(before, scored).items[0]?.scores).toHaveProperty("x");
  });

  it("begins again when a page would hold too many", () => {
    const many = Array.from({ length: MOST }, (_, index) => MOST - index);
    const before = withHead(null, page(many, "end"));
    const after = withHead(before, page([MOST + 1, MOST], `after${MOST}`));
    expect(ids(after)).toEqual([`s${MOST + 1}`, `s${MOST}`]);
    expect(after.end).toBe(`after${MOST}`);
  });
});

it("puts an older page beneath, each story once", () => {
  const stories = withOlder(withHead(null, page([5, 4], "after4")), page([4, 3], "after3"));
  expect(ids(stories)).toEqual(["s5", "s4", "s3"]);
  expect(stories.end).toBe("after3");
});

it("calls new what was scored within the last minute", () => {
  const now = new Date("2026-03-02T10:00:59Z");
  expect(isNew(story(1, { scores: { x: score() } }), now)).toBe(true);
  expect(isNew(story(1, { scores: { x: score("2026-03-02T09:59:00Z") } }), now)).toBe(false);
  expect(isNew(story(1), now)).toBe(false);
});

it("puts the default family first, and knows only families that scored", () => {
  const stories = [story(1, { scores: { b: score() } }), story(2, { scores: { a: score(), c: score() } })];
  expect(familiesOf(stories, "c")).toEqual(["c", "a", "b"]);
  expect(familiesOf(stories, "z")).toEqual(["a", "b", "c"]);
});

it("begins a day where the reader's day begins", () => {
  const now = new Date(2026, 2, 2, 12);
  const at = (...when: [number, number, number, number]) => story(1, { published_at: new Date(...when).toISOString() });
  const days = byDay([at(2026, 2, 2, 0), at(2026, 2, 1, 23), at(2026, 1, 20, 8), at(2025, 1, 20, 8)], now);
  expect(days.map(({ name }) => name)).toEqual(["Today", "Yesterday", "Friday 20 February", "Thursday 20 February 2025"]);
});
