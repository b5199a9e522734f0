/** Is it serving well? One sentence from what the process, its dependencies and the alerts tell, and what is not well, the worst first. */
import type { Schemas } from "../../api/client";
import { counted, duration, number, percent, words } from "../../parts/format";
import { sum } from "./unserved";

/** Above this share of its time a process has nothing left for a burst. */
export const BUSY = 0.85;
/** Above this a deadline of 200 ms is in danger. */
export const LATE_MS = 50;
/** From here on there is time to bring the database back, and not much more. */
export const FILLING = 0.5;
/** So many of the last hour's answers may come from a stand-in. */
const STOOD_IN = 0.01;

export interface Told {
  health: Schemas["Health"] | undefined;
  report: Schemas["ServiceReport"] | undefined;
  alerts: Schemas["AlertsAnswer"] | undefined;
  flags: Schemas["FlagList"] | undefined;
  /** Why this process cannot be asked at all. */
  silent?: string | undefined;
}

export interface Finding {
  tone: "warning" | "critical";
  says: string;
  /** Where more of it is told. */
  to?: string;
}

export function findings({ health, report, alerts, flags, silent }: Told): Finding[] {
  const found: Finding[] = [];
  const say = (applies: boolean, tone: Finding["tone"], says: () => string, to?: string) => {
    if (applies) found.push({ tone, says: says(), ...(to && { to }) });
  };
  if (silent !== undefined) return [{ tone: "critical", says: `this process does not answer: ${silent}` }];
  say(health?.status === "not_ready", "critical", () => `it is not ready: ${health?.reason ?? "no model is loaded"}`);
  const down = Object.entries(health?.dependencies ?? {}).filter(([, { status }]) => status === "down");
  for (const [name, { message }] of down) say(true, "warning", () => `${name} does not answer${message ? ` (${message})` : ""}`, "#uses");
  if (report) {
    const { process, stored, missing } = report;
    const { load } = process;
    const refused = load.refused_per_s ?? 0;
    say(refused > 0, "critical", () => `${percent(refused / load.requests_per_s)} of the requests of the last ${over(load)} were refused at the door`, "#load");
    say(refused === 0 && load.saturation > BUSY, "warning", () => `it is full (${percent(load.saturation)} of its time)`, "#load");
    say(load.loop_lag_p99_ms > LATE_MS, "warning", () => `answers come late (${number(load.loop_lag_p99_ms)} ms of loop lag)`, "#load");
    say(load.stuck_threads > 0, "warning", () => `threads that hang: ${number(load.stuck_threads)}`, "#load");
    say(process.journal_dropped > 0, "critical", () => `${counted(process.journal_dropped, "record")} lost since it started`, "#process");
    say((process.journal_used ?? 0) > FILLING, "warning", () => `${percent(process.journal_used)} of the journal's room is taken`, "#process");
    say(missing != null && !down.some(([name]) => name === "postgresql"), "warning", () => "what is stored is not known");
    const answered = stored?.last_hour.versions.reduce((all, { answers }) => all + answers, 0) ?? 0;
    const stoodIn = sum(stored?.last_hour.stood_in);
    say(stoodIn > STOOD_IN * answered, "warning", () => `${percent(stoodIn / answered, 1)} of the last hour's answers were given by a stand-in`, "#hour");
  }
  const off = Object.entries(flags?.here ?? {}).filter(([, on]) => !on);
  say(off.length > 0, "warning", () => `switched off: ${off.map(([name]) => words(name)).join(", ")}`, "#switches");
  const open = alerts ? alerts.open.critical + alerts.open.warning : 0;
  const critical = alerts?.open.critical ?? 0;
  // An alert may be of data or news: how severe it is says nothing of how this process serves.
  say(open > 0, "warning", () => `${counted(open, "alert")} ${open === 1 ? "is" : "are"} open${critical > 0 ? `, ${number(critical)} critical` : ""}`, "/app/alerts");
  return found.sort((a, b) => Number(b.tone === "critical") - Number(a.tone === "critical"));
}

export const over = ({ window_s: seconds }: Pick<Schemas["ProcessLoad"], "window_s">): string => (seconds == null ? "minute" : duration(Math.max(1, seconds)));
