/** Where a source stands, in a word. */
import type { Schemas } from "../../api/client";
import type { Tone } from "../../parts/badge";

interface Standing {
  tone: Tone;
  word: string;
  why: string;
}

export function standing({ consecutive_failures: failures, last_failure: failure, more_waits: more, last_success_at: came, last_collection: last }: Schemas["SourceStatus"]): Standing {
  if (failures > 0) {
    return { tone: failures >= 3 || came == null ? "critical" : "warning", word: failures === 1 ? "failed once" : `failed ${failures} times`, why: failure ?? "" };
  }
  if (came == null) return last ? { tone: "plain", word: "imported", why: "it is no feed: somebody imported it" } : { tone: "plain", word: "not asked yet", why: "" };
  return more ? { tone: "plain", word: "goes on", why: "its last collection was cut off and goes on there" } : { tone: "good", word: "comes", why: "" };
}
