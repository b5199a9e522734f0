/** How busy the process that answered is: it, and not the others behind the same address. */
import type { Schemas } from "../../api/client";
import { Card } from "../../parts/card";
import { bytes, counted, milliseconds, number, percent } from "../../parts/format";
import { Stat, Stats } from "../../parts/stat";
import { BUSY, LATE_MS, over } from "./verdict";

export function Load({ load }: { load: Schemas["ProcessLoad"] }) {
  const { capacity_per_s: capacity, saturation, loop_lag_p99_ms: lag } = load;
  const refused = load.refused_per_s ?? 0;
  return (
    <Card title="Load of this process" anchor="load" aside={<span className="note">the last {over(load)}</span>}>
      {load.stuck_threads > 0 && <p>Threads that hang: {number(load.stuck_threads)}. Their model does not end at a text; the log says which version, and a new start ends them.</p>}
      <p>{refused > 0 ? "It refuses what it could not answer in time. Start another process." : saturation > BUSY ? "It is full: every further request waits longer than the one before. Start another process." : lag > LATE_MS ? "Answers come late: something holds its event loop up, or others keep the machine busy." : "It has room."}</p>
      <Stats>
        <Stat name="Requests a second" value={number(load.requests_per_s, 1)} note={capacity == null ? "too few to tell what it could answer" : `it could answer about ${number(capacity)} of this kind`} />
        {refused > 0 && <Stat name="Refused a second" value={number(refused, 1)} note="of them, at the door" tone="critical" />}
        <Stat name="Saturation" value={percent(saturation)} note={refused > 0 ? "of the time it worked, or had to refuse" : "of the time its event loop worked"} tone={saturation > BUSY ? "warning" : "plain"} />
        <Stat name="Loop lag" value={milliseconds(lag)} note="99 % of its timers come within" tone={lag > LATE_MS ? "warning" : "plain"} />
        <Stat name="In flight" value={number(load.in_flight)} note={`requests besides this one, and ${counted(load.open_streams, "open stream")}`} />
        <Stat name="Queue" value={number(load.queued_texts)} note="texts that wait for a model or are with it" />
        <Stat name="Memory" value={load.resident_bytes == null ? "not known" : bytes(load.resident_bytes)} note={`${load.descriptors == null ? "" : `${counted(load.descriptors, "descriptor")}, `}${counted(load.threads, "thread")}`} />
      </Stats>
      {load.replica && <p className="note">Replica <code>{load.replica}</code> in flags, status and selections; <code>{load.instance}</code> in the metrics.</p>}
    </Card>
  );
}
