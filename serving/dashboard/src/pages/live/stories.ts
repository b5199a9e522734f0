/** The stories that the page has: the newest page of news, which is asked again and again, and older ones beneath it. */
import type { Schemas } from "../../api/client";

export type Story = Schemas["NewsItem"];

export interface Stories {
  items: readonly Story[];
  /** The cursor that asks for what is older than the last of `items`; null at the end of all news. */
  end: string | null;
}

/** So many stories a page holds at most; beyond that it begins again with the newest. */
export const MOST = 500;
/** So long a story that was just scored is called new. */
const NEW_FOR_MS = 60_000;

/** Newest first, as the API orders: by time of publication, then by article. */
function newer(a: Story, b: Story): number {
  const byTime = Date.parse(b.published_at) - Date.parse(a.published_at);
  return byTime !== 0 ? byTime : a.article_id < b.article_id ? 1 : a.article_id > b.article_id ? -1 : 0;
}

/**
 * The newest page in front of what was there. Within the page's range the page is right: what it lacks is gone.
 *
 * When more came than a page holds, there would be a gap beneath it, so what was there is let go.
 */
export function withHead(before: Stories | null, head: Schemas["NewsAnswer"]): Stories {
  const alone = { items: head.items, end: head.next_cursor };
  const last = head.items.at(-1);
  if (before == null || last === undefined || head.next_cursor == null) return alone;
  const ids = new Set(head.items.map(({ story_id }) => story_id));
  if (!before.items.some(({ story_id }) => ids.has(story_id))) return alone;
  const older = before.items.filter((story) => newer(last, story) < 0 && !ids.has(story.story_id));
  if (older.length === 0) return alone;
  return head.items.length + older.length > MOST ? alone : { items: [...head.items, ...older], end: before.end };
}

/** An older page beneath what is there; a story that is there already stays where it is. */
export function withOlder(before: Stories, page: Schemas["NewsAnswer"]): Stories {
  const ids = new Set(before.items.map(({ story_id }) => story_id));
  return { items: [...before.items, ...page.items.filter(({ story_id }) => !ids.has(story_id))], end: page.next_cursor };
}

/** Whether it was scored a moment ago. */
export function isNew(story: Story, now: Date): boolean {
  return Object.values(story.scores).some(({ scored_at }) => now.getTime() - Date.parse(scored_at) < NEW_FOR_MS);
}

/** The families that scored something of it, the one that answers by default first. */
export function familiesOf(stories: readonly Story[], first: string | null): string[] {
  const all = [...new Set(stories.flatMap(({ scores }) => Object.keys(scores)))].sort();
  return first != null && all.includes(first) ? [first, ...all.filter((family) => family !== first)] : all;
}

export interface Day {
  name: string;
  stories: Story[];
}

/** By the day of publication in the reader's time zone; "Today" and "Yesterday" by their names. */
export function byDay(stories: readonly Story[], now: Date): Day[] {
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1).toDateString();
  const days: Day[] = [];
  let last = "";
  for (const story of stories) {
    const at = new Date(story.published_at);
    const day = at.toDateString();
    if (day !== last) {
      const long = at.toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long", ...(at.getFullYear() === now.getFullYear() ? {} : { year: "numeric" }) })
        .replace(",", "");
      days.push({ name: day === now.toDateString() ? "Today" : day === yesterday ? "Yesterday" : long, stories: [] });
      last = day;
    }
    days.at(-1)?.stories.push(story);
  }
  return days;
}
