/** Whether pages and API are of one release. What the readers of an answer do then: README of the dashboard, "Another release". */

declare const __API_VERSION__: string;
/** The version of the API that these pages were made for. */
export const MADE_FOR: string = __API_VERSION__;

const parts = (version: string): number[] | null => (/^\d+(\.\d+)*$/.test(version) ? version.split(".").map(Number) : null);

/** Below 0: `a` is older; above: it is newer; 0: the same, or not to be told. */
export function compared(a: string, b: string): number {
  const [left, right] = [parts(a), parts(b)];
  // "0" is a platform that is not installed as a package.
  if (!left || !right || a === "0" || b === "0") return 0;
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** What to say, and what to do; null where nothing needs to be said. */
export function skew(pages: string, api: string): string | null {
  const order = compared(pages, api);
  if (order === 0) return null;
  return order < 0
    ? `These pages are of ${pages}, the API is of ${api}: what is new in it is not shown. Load the page again; if this stays, build the dashboard again.`
    : `These pages are of ${pages}, the API is of ${api}: what it does not have yet stays empty. Release serving.`;
}
