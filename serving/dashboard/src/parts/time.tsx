/** A moment: the clock's time, or how long ago. In full, with its zone, under the pointer. */
import { ago, inFull, moment } from "./format";
import { None } from "./none";
import { useNow } from "./now";

interface Props {
  at: string | null | undefined;
  ago?: boolean;
  /** What a missing moment means. */
  missing?: string;
}

export function Time({ at, ago: relative = false, missing = "never" }: Props) {
  const now = useNow();
  if (!at) return <None why={missing} />;
  const date = new Date(at);
  return (
    <time dateTime={at} title={inFull(date)}>
      {relative ? ago(date, now) : moment(date, now)}
    </time>
  );
}
