/** The time of day for what says "3 min ago": one ticking clock for all of a page. */
import { useSyncExternalStore } from "react";

const TICK_MS = 5_000;
const watchers = new Set<() => void>();
let now = new Date();
let timer: ReturnType<typeof setInterval> | undefined;

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  now = new Date();
  timer ??= setInterval(() => {
    now = new Date();
    for (const told of watchers) told();
  }, TICK_MS);
  return () => {
    watchers.delete(watcher);
    if (watchers.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

export const useNow = (): Date => useSyncExternalStore(watch, () => now);
