/** Brings events into the pages: what an event changed is asked again at once, and a burst of events asks once. */
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { type EventFeed, feed, type PublicEvent, type StreamHealth } from "./events";
import { KEYS } from "./queries";

const BURST_MS = 400;

/** Which queries an event makes out of date. */
export const CHANGED: Record<Exclude<PublicEvent["type"], "stream_state">, readonly string[]> = {
  deployment_live: [KEYS.status, KEYS.selections, KEYS.versions, KEYS.deployments, KEYS.tickers, KEYS.performance, KEYS.drift],
  deployment_published: [KEYS.deployments, KEYS.versions],
  article_scored: [KEYS.news, KEYS.tickers],
  alert_opened: [KEYS.alerts],
  alert_resolved: [KEYS.alerts],
  drift_report: [KEYS.drift, KEYS.driftReports],
  retrain_decision: [KEYS.decisions, KEYS.runs],
};

/** Asks again what events changed, at most once every `burstMs`. Returns how to stop. */
export function refreshOnEvents(queries: QueryClient, events: EventFeed, burstMs = BURST_MS): () => void {
  const due = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const refresh = () => {
    timer = undefined;
    const keys = new Set(due);
    due.clear();
    void queries.invalidateQueries({
      predicate: ({ queryKey }) => keys.has(String(queryKey[0])),
      refetchType: document.hidden ? "none" : "active",
    });
  };
  const stop = events.subscribe((event) => {
    if (event.type === "stream_state") {
      // A stream that is back may have missed events; one that broke tells each page at once that its figures are stale. At the first load
      // nothing is old enough to be asked again.
      void queries.refetchQueries({ type: "active", stale: true });
      return;
    }
    for (const key of CHANGED[event.type]) due.add(key);
    timer ??= setTimeout(refresh, burstMs);
  });
  return () => {
    stop();
    clearTimeout(timer);
  };
}

/** Once, at the top of the app. */
export function useLiveQueries(): void {
  const queries = useQueryClient();
  useEffect(() => {
    const stop = refreshOnEvents(queries, feed);
    feed.start();
    return stop;
  }, [queries]);
}

export const useStreamHealth = (): StreamHealth => useSyncExternalStore(feed.watchHealth, feed.currentHealth);
