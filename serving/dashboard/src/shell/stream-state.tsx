/** Whether events come: a word and a glyph at the foot of the navigation. */
import { useStreamHealth } from "../api/live";

const WORDS = {
  connecting: ["○", "connecting"],
  live: ["●", "live: events come as they happen"],
  quiet: ["◐", "no events: pages ask by themselves"],
  away: ["○", "no connection: trying again"],
} as const;

export function StreamState() {
  const { kind, message } = useStreamHealth();
  const [glyph, said] = WORDS[kind];
  return (
    <p className={`stream ${kind}`} role="status" title={message ?? undefined}>
      <span aria-hidden="true">{glyph}</span> {said}
    </p>
  );
}
