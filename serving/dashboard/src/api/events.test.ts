import { QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { EventFeed, parseEvent, type PublicEvent } from "./events";
import { refreshOnEvents } from "./live";
import { KEYS } from "./queries";

const scored = { type: "article_scored", at: "2026-03-02T10:00:00Z", article_id: "a", headline: "Mill burns", symbols: [], available_at: "2026-03-02T10:00:00Z",
  version: "v1.0.0-x", label: "negative", sentiment: -0.5 } as const satisfies PublicEvent;
const state = (connected: boolean) => ({ type: "stream_state", at: "2026-03-02T10:00:00Z", connected, message: null }) as const satisfies PublicEvent;

/** What a test can say in place of a server. */
class Stream extends EventTarget {
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  readyState = 1;
  close = vi.fn(() => (this.readyState = 2));
  say(event: PublicEvent) {
    this.dispatchEvent(new MessageEvent(event.type, { data: JSON.stringify(event) }));
  }
}

// jsdom has neither streams nor locks, so a feed here does what it does where a browser has no locks.
vi.stubGlobal("EventSource", { CLOSED: 2 });
let streams: Stream[] = [];
const open = () => {
  streams.push(new Stream());
  return streams.at(-1) as unknown as EventSource;
};
const look = (hidden: boolean) => {
  vi.spyOn(document, "hidden", "get").mockReturnValue(hidden);
  document.dispatchEvent(new Event("visibilitychange"));
};

beforeEach(() => {
  vi.useFakeTimers();
  streams = [];
  look(false);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it("reads the events that it knows, and passes over everything else", () => {
  expect(parseEvent(JSON.stringify(scored))).toEqual(scored);
  for (const text of ["", "{", "null", "[]", "1", '{"type":"of_a_newer_server"}']) expect(parseEvent(text)).toBeNull();
});

describe("a feed without locks", () => {
  it("listens while its tab is looked at", () => {
    new EventFeed(open).start();
    expect(streams).toHaveLength(1);
    look(true);
    expect(streams[0]?.close).toHaveBeenCalled();
    look(false);
    expect(streams).toHaveLength(2);
  });

  it("asks again after a refusal, later each time, and is live again when it is heard", () => {
    const feed = new EventFeed(open);
    feed.start();
    const refuse = () => {
      const stream = streams.at(-1) as Stream;
      stream.readyState = 2;
      stream.onerror?.();
    };
    refuse();
    expect(feed.currentHealth().kind).toBe("away");
    vi.advanceTimersByTime(3_000);
    expect(streams).toHaveLength(2);
    refuse();
    vi.advanceTimersByTime(3_000);
    expect(streams).toHaveLength(2);
    vi.advanceTimersByTime(3_000);
    expect(streams).toHaveLength(3);
    streams.at(-1)?.say(state(true));
    expect(feed.currentHealth().kind).toBe("live");
    streams.at(-1)?.say({ ...state(false), message: "No Redis" });
    expect(feed.currentHealth()).toEqual({ kind: "quiet", message: "No Redis" });
  });
});

describe("events and queries", () => {
  const query = (queries: QueryClient, key: string) => queries.getQueryCache().build(queries, { queryKey: [key] });

  it("asks again once for a burst, and only what the events changed", async () => {
    const queries = new QueryClient();
    const feed = new EventFeed(open);
    const invalidated = vi.spyOn(queries, "invalidateQueries");
    const news = query(queries, KEYS.news);
    const alerts = query(queries, KEYS.alerts);
    const stop = refreshOnEvents(queries, feed, 400);
    feed.start();
    for (let n = 0; n < 100; n += 1) streams[0]?.say(scored);
    vi.advanceTimersByTime(399);
    expect(invalidated).not.toHaveBeenCalled();
    vi.advanceTimersByTime(2);
    expect(invalidated).toHaveBeenCalledOnce();
    expect([news.state.isInvalidated, alerts.state.isInvalidated]).toEqual([true, false]);
    stop();
    streams[0]?.say(scored);
    vi.advanceTimersByTime(1_000);
    expect(invalidated).toHaveBeenCalledOnce();
  });

  it("asks for what is old when a stream breaks, so that pages say so at once, and when it is back, since it may have missed something", () => {
    const queries = new QueryClient();
    const feed = new EventFeed(open);
    const again = vi.spyOn(queries, "refetchQueries");
    refreshOnEvents(queries, feed);
    feed.start();
    streams[0]?.say(state(false));
    expect(again).toHaveBeenCalledTimes(1);
    streams[0]?.say(state(true));
    expect(again).toHaveBeenCalledTimes(2);
    expect(again).toHaveBeenLastCalledWith({ type: "active", stale: true });
  });
});
