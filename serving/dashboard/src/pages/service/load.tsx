/** How busy the process that answered is: it, and not the others behind the same address. */
import type { Schemas } from "../../api/client";
import { Card } from "../../parts/card";
import { bytes, counted, duration, milliseconds, number, percent } from "../../parts/format";
import { Stat, Stats } from "../../parts/stat";

/** Above this share of its time a process has nothing left for a burst. */
const BUSY = 0.85;
/** Above this a deadline of 200 ms is in danger. */
const LATE_MS = 50;

export function Load({ load }: { load: Schemas["ProcessLoad"] }) {
  const { capacity_per_s: capacity, saturation, loop_lag_p99_ms: lag } = load;
  const over = load.window_s == null ? "minute" : duration(Math.max(1, load.window_s));
  return (
    <Card title="Load of this process" aside={<span className="note">{load.instance}, the last {over}</span>}>
      {load.stuck_threads > 0 && <p>Threads that hang: {number(load.stuck_threads)}. Their model does not end at a text; the log says which version, and a new start ends them.</p>}
      <p>{saturation > BUSY ? "It is full: every further request waits longer than the one before. Start another process." : lag > LATE_MS ? "Answers come late: something holds its event loop up, or others keep the machine busy." : "It has room."}</p>
      <Stats>
        <Stat name="Requests a second" value={number(load.requests_per_s, 1)} note={capacity == null ? "too few to tell what it could answer" : `it could answer about ${number(capacity)} of this kind`} />
        <Stat name="Saturation" value={percent(saturation)} note="of the time its event loop worked" tone={saturation > BUSY ? "warning" : "plain"} />
        <Stat name="Loop lag" value={milliseconds(lag)} note="99 % of its timers come within" tone={lag > LATE_MS ? "warning" : "plain"} />
        <Stat name="In flight" value={number(load.in_flight)} note={`requests being answered, beside ${counted(load.open_streams, "open stream")}`} />
        <Stat name="Queue" value={number(load.queued_texts)} note="texts that wait for a model or are with it" />
        <Stat name="Memory" value={load.resident_bytes == null ? "not known" : bytes(load.resident_bytes)} note={`${load.descriptors == null ? "" : `${counted(load.descriptors, "descriptor")}, `}${counted(load.threads, "thread")}`} />
      </Stats>
    </Card>
  );
}
