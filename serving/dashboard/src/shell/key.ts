/** The key of the person at this tab. It lives in memory alone: closing or reloading the tab forgets it. */
import { useSyncExternalStore } from "react";

let key = "";
const listeners = new Set<() => void>();

export function setKey(given: string): void {
  key = given.trim();
  for (const tell of listeners) tell();
}

const subscribe = (tell: () => void) => {
  listeners.add(tell);
  return () => listeners.delete(tell);
};

/** The key, "" while none was given. */
export const useKey = (): string => useSyncExternalStore(subscribe, () => key);
