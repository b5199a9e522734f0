/** What this process alone counted since it started: its requests, and what was not served as it was asked. */
import type { Schemas } from "../../api/client";
import { LineChart } from "../../charts";
import { Card } from "../../parts/card";
import { bytes, number, percent } from "../../parts/format";
import { Stat, Stats } from "../../parts/stat";
import { Time } from "../../parts/time";
import type { Period } from "./periods";
import { unserved } from "./unserved";

/** From here on there is time to bring the database back, and not much more. */
const FILLING = 0.5;

interface Props {
  process: Schemas["ProcessCounts"];
  lines: readonly Period<Schemas["ProcessPeriod"]>[];
  unit: Schemas["ServiceReport"]["unit"];
}

export function Process({ process, lines, unit }: Props) {
  const wrong = unserved(process);
  const used = process.journal_used;
  return (
    <Card title="This process" aside={<span className="note">since it started, <Time at={process.started_at} ago /></span>}>
      <Stats>
        <Stat name="Requests" value={number(process.requests)} note="of every route but the probes" />
        <Stat name="Refused as wrong" value={number(process.client_errors)} note="4xx" />
        <Stat name="Failed" value={number(process.server_errors)} note="5xx" tone={process.server_errors > 0 ? "critical" : "plain"} />
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
      {process.periods && process.periods.length > 0 && (
        <LineChart
          title={`Errors of this process by ${unit}`}
          summary={`${number(process.server_errors)} failed, ${number(process.client_errors)} refused as wrong since it started`}
          lines={[
            { name: "Refused as wrong", points: lines.map(({ at, counts }) => ({ at, value: counts?.client_errors ?? 0 })) },
            { name: "Failed", points: lines.map(({ at, counts }) => ({ at, value: counts?.server_errors ?? 0 })) },
          ]}
          format={(value) => number(value)}
        />
      )}
    </Card>
  );
}
