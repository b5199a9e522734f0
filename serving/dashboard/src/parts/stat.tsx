/** One figure with its name, and a line beneath that says what it is of. `Stats` puts several in a row. */
import type { ReactNode } from "react";

interface Props {
  name: string;
  value: ReactNode;
  note?: ReactNode;
  tone?: "plain" | "good" | "warning" | "critical";
}

export const Stat = ({ name, value, note, tone = "plain" }: Props) => (
  <div className={`stat ${tone}`}>
    <dt>{name}</dt>
    <dd>
      <span className="figure">{value}</span>
      {note && <span className="note">{note}</span>}
    </dd>
  </div>
);

export const Stats = ({ children }: { children: ReactNode }) => <dl className="stats">{children}</dl>;
