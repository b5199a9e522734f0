/** What this process alone counted since it started: its requests, and what was not served as it was asked. */
import type { Schemas } from "../../api/client";
import { LineChart } from "../../charts";
import { Card } from "../../parts/card";
import { bytes, number, percent } from "../../parts/format";
import { Stat, Stats } from "../../parts/stat";
import { Time } from "../../parts/time";
import type { Period } from "./periods";
import { sum, unserved } from "./unserved";
import { FILLING } from "./verdict";

/** Those of the 5xx that were not refused at the door: that is no failure of what was begun. */
const failed = (process: Schemas["ProcessCounts"]): number => Math.max(0, process.server_errors - sum(process.unserved?.refused));

export function Process({ process }: { process: Schemas["ProcessCounts"] }) {
  const wrong = unserved(process);
  const used = process.journal_used;
  return (
    <Card title="This process" anchor="process" aside={<span className="note">since it started, <Time at={process.started_at} ago /></span>}>
      <Stats>
        <Stat name="Requests" value={number(process.requests)} note="of every route but the probes" />
        <Stat name="Refused as wrong" value={number(process.client_errors)} note="4xx" />
        <Stat name="Failed" value={number(failed(process))} note="5xx, without what was refused at the door" tone={failed(process) > 0 ? "critical" : "plain"} />
        <Stat
          name="Journal"
          value={number(process.journal_backlog_records)}
          note={`records not in the database yet${used == null ? "" : `; ${percent(used)} of its room is taken, ${bytes(process.journal_bytes)} on the disk`}`}
          tone={used != null && used > FILLING ? "warning" : "plain"}
        />
      </Stats>
      {wrong.length === 0 ? (
        <p className="note">Nothing was refused at the door, shed, degraded, late, over a limit or lost.</p>
      ) : (
        <Stats>
          {wrong.map(({ name, count, note, tone }) => (
            <Stat key={name} name={name} value={number(count)} note={note} tone={tone} />
          ))}
        </Stats>
      )}
    </Card>
  );
}

interface Lines {
  process: Schemas["ProcessCounts"];
  lines: readonly Period<Schemas["ProcessPeriod"]>[];
  unit: Schemas["ServiceReport"]["unit"];
}

export function Errors({ process, lines, unit }: Lines) {
  if (!process.periods?.length) return null;
  const line = (name: string, value: (counts: Schemas["ProcessPeriod"]) => number) => ({ name, points: lines.map(({ at, counts }) => ({ at, value: counts ? value(counts) : 0 })) });
  return (
    <Card title="Errors of this process">
      <LineChart
        title={`By ${unit}`}
        summary={`${number(failed(process))} failed, ${number(sum(process.unserved?.refused))} refused at the door, ${number(process.client_errors)} refused as wrong since it started`}
        lines={[
          line("Refused as wrong", (counts) => counts.client_errors),
          line("Refused at the door", (counts) => counts.refused ?? 0),
          line("Failed", (counts) => counts.server_errors - (counts.refused ?? 0)),
        ]}
        format={(value) => number(value)}
      />
    </Card>
  );
}
