/**
 * What happens, as it happens: one stream of GET /events for all tabs of a browser.
 *
 * A browser opens six HTTP/1.1 connections to a host, and a stream holds one: with a stream a tab, the seventh tab would never load. So the
 * tab that holds the lock listens and tells the others; when it closes, the next one gets the lock. Without locks (a page over plain HTTP
 * from another machine) a tab listens by itself, and only while it is looked at.
 */
import { API_BASE, type Schemas } from "./client";

export type PublicEvent =
  | Schemas["StreamState"]
  | Schemas["DeploymentLive"]
  | Schemas["DeploymentPublished"]
  | Schemas["ArticleScored"]
  | Schemas["AlertOpened"]
  | Schemas["AlertResolved"]
  | Schemas["DriftReported"]
  | Schemas["RetrainDecided"];

const TYPES: readonly PublicEvent["type"][] = [
  "stream_state", "deployment_live", "deployment_published", "article_scored", "alert_opened", "alert_resolved", "drift_report",
  "retrain_decision",
];

/** `live`: events come. `quiet`: the stream is open, but the server has no events to give, and says why. `away`: no stream. */
export interface StreamHealth {
  kind: "connecting" | "live" | "quiet" | "away";
  message: string | null;
}

type Told = { kind: "event"; event: PublicEvent } | { kind: "health"; health: StreamHealth } | { kind: "who" };

const NAME = "sentiment-events";
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;

/** An event out of a frame's text; null for what this build does not know. */
export function parseEvent(text: string): PublicEvent | null {
  try {
    const event: unknown = JSON.parse(text);
    const known = typeof event === "object" && event !== null && TYPES.includes((event as PublicEvent).type);
    return known ? (event as PublicEvent) : null;
  } catch {
    return null;
  }
}

export class EventFeed {
  private readonly listeners = new Set<(event: PublicEvent) => void>();
  private readonly watchers = new Set<() => void>();
  private health: StreamHealth = { kind: "connecting", message: null };
  private readonly channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(NAME);
  private source: EventSource | null = null;
  private pauseMs = FIRST_PAUSE_MS;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private started = false;

  constructor(private readonly open: () => EventSource = () => new EventSource(`${API_BASE}/events`)) {}

  /** Starts with the first listener; one feed lives as long as its tab. */
  start(): void {
    if (this.started) return;
    this.started = true;
    if (this.channel && navigator.locks) {
      this.channel.onmessage = ({ data }: MessageEvent<Told>) => this.hear(data);
      this.channel.postMessage({ kind: "who" } satisfies Told);
      void navigator.locks.request(NAME, () => {
        this.listen();
        return new Promise(() => {}); // kept until the tab is gone
      });
      return;
    }
    const followVisibility = () => (document.hidden ? this.rest() : this.listen());
    document.addEventListener("visibilitychange", followVisibility);
    followVisibility();
  }

  /** Calls `listener` with each event from now on; returns how to stop. */
  subscribe(listener: (event: PublicEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** For `useSyncExternalStore`. */
  watchHealth = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  currentHealth = (): StreamHealth => this.health;

  private listen(): void {
    if (this.source) return;
    const source = this.open();
    this.source = source;
    for (const type of TYPES) {
      source.addEventListener(type, (frame) => {
        const event = parseEvent((frame as MessageEvent<string>).data);
        if (event) this.tell(event);
      });
    }
    source.onopen = () => (this.pauseMs = FIRST_PAUSE_MS);
    source.onerror = () => {
      this.setHealth({ kind: "away", message: null });
      // Closed: the server refused (503, too many streams), and the browser does not ask again by itself.
      if (source.readyState === EventSource.CLOSED) this.listenLater();
    };
  }

  private listenLater(): void {
    this.rest();
    this.timer = setTimeout(() => this.listen(), this.pauseMs * (0.8 + 0.4 * Math.random()));
    this.pauseMs = Math.min(2 * this.pauseMs, LONGEST_PAUSE_MS);
  }

  private rest(): void {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  private tell(event: PublicEvent): void {
    this.channel?.postMessage({ kind: "event", event } satisfies Told);
    this.take(event);
  }

  private take(event: PublicEvent): void {
    if (event.type === "stream_state") {
      this.setHealth({ kind: event.connected ? "live" : "quiet", message: event.message });
    }
    for (const listener of this.listeners) listener(event);
  }

  /** What another tab says. Only the tab with the stream answers who asks. */
  private hear(told: Told): void {
    if (told.kind === "event") this.take(told.event);
    else if (told.kind === "health") this.setHealth(told.health);
    else if (this.source) this.channel?.postMessage({ kind: "health", health: this.health } satisfies Told);
  }

  private setHealth(health: StreamHealth): void {
    if (health.kind === this.health.kind && health.message === this.health.message) return;
    this.health = health;
    if (this.source) this.channel?.postMessage({ kind: "health", health } satisfies Told);
    for (const watcher of this.watchers) watcher();
  }
}

export const feed = new EventFeed();
