/** What was not served as it was asked, as tiles: those that counted something, in the order of how much they matter. */
import type { Schemas } from "../../api/client";
import { number, words } from "../../parts/format";

export interface Unserved {
  name: string;
  count: number;
  note: string;
  tone: "plain" | "warning" | "critical";
}

export type Counts = Readonly<Record<string, number>> | undefined;

/** A word that is not here is shown as it came. */
const WORDS: Record<string, string> = {
  answer: "single answers",
  batch: "batches",
  shadow: "in shadow",
  explain: "explanations",
  queue: "the model had too much to do",
  deadline: "too little time",
  exchange: "while a version was exchanged",
  kill_switch: "switched off",
  model_error: "the model failed",
  address: "of an address",
  key: "of a key",
  guess: "of wrong keys",
  unknown: "unknown",
  role: "of too low a role",
  scope: "without the scope",
};

export const sum = (counts: Counts): number => Object.values(counts ?? {}).reduce((all, count) => all + count, 0);

/** `{a: 3, b: 1}` -> "3 a, 1 b", the most first. */
export const by = (counts: Counts): string =>
  Object.entries(counts ?? {})
    .sort(([, a], [, b]) => b - a)
    .map(([word, count]) => `${number(count)} ${WORDS[word] ?? words(word)}`)
    .join(", ");

export function unserved(process: Schemas["ProcessCounts"]): Unserved[] {
  const { unserved: told, rollbacks } = process;
  const every: Unserved[] = [
    { name: "Lost", count: process.journal_dropped, note: "records that never will be in the database", tone: "critical" },
    { name: "Set aside", count: process.journal_rejected ?? 0, note: "records that were damaged, or that the database refused", tone: "critical" },
    { name: "Went back by itself", count: sum(rollbacks), note: `after a swap, for worse: ${by(rollbacks)}`, tone: "critical" },
    { name: "Models that failed", count: sum(told?.model_errors), note: `at a text, and another one answered where it could: ${by(told?.model_errors)}`, tone: "critical" },
    { name: "Refused at the door", count: sum(told?.refused), note: `more than could be in time: ${by(told?.refused)}`, tone: "warning" },
    { name: "Shed", count: process.shed, note: "could not be taken by a model within the deadline", tone: "warning" },
    { name: "Degraded", count: sum(told?.degraded), note: `a stand-in answered: ${by(told?.degraded)}`, tone: "warning" },
    { name: "Late", count: sum(told?.late), note: `begun and not done in time: ${by(told?.late)}`, tone: "warning" },
    { name: "Over a limit", count: sum(told?.rate_limited), note: `asked more than allowed: ${by(told?.rate_limited)}`, tone: "plain" },
    { name: "Keys refused", count: sum(told?.keys_refused), note: by(told?.keys_refused), tone: "plain" },
    { name: "Feedback on nothing", count: process.feedback_rejected, note: "no prediction has the id", tone: "warning" },
  ];
  return every.filter(({ count }) => count > 0);
}
