/** What was when: spans in lanes over time, such as which version was live. The newest span may be open. */
import { scaleTime } from "d3-scale";
import { inFull } from "../parts/format";
import { AxisAlong, timeTicks } from "./axes";
import { ChartFrame } from "./frame";
import { fitting } from "./scales";

export interface TimelineSpan {
  lane: string;
  name: string;
  start: string;
  /** Null: it goes on. */
  end: string | null;
  note?: string;
  series?: number;
}

interface Props {
  title: string;
  summary: string;
  spans: readonly TimelineSpan[];
  /** Where the axis ends: the time of the answer. */
  until: string;
}

const ROW = 34;
const BOTTOM = 24;

export function Timeline({ title, summary, spans, until }: Props) {
  const names = [...new Set(spans.map(({ lane }) => lane))];
  const height = ROW * Math.max(1, names.length) + BOTTOM;
  const first = spans.reduce((least, { start }) => (start < least ? start : least), until);
  return (
    <ChartFrame
      title={title}
      summary={summary}
      height={height}
      table={{
        columns: ["Of", "What", "From", "To", "Note"],
        rows: spans.map(({ lane, name, start, end, note }) => [
          lane, name, inFull(new Date(start)), end ? inFull(new Date(end)) : "goes on", note ?? "-",
        ]),
      }}
    >
      {(width) => {
        const left = Math.min(110, width * 0.28);
        const x = scaleTime([new Date(first), new Date(until)], [left, width - 8]);
        return (
          <>
            <AxisAlong ticks={timeTicks(x, Math.max(2, Math.floor((width - left) / 100)))} y={height - BOTTOM} to={0} />
            {names.map((name, index) => (
              <text key={name} x="0" y={ROW * (index + 0.5)} dy="0.32em" className="name">
                {fitting(name, left - 8)}
                <title>{name}</title>
              </text>
            ))}
            {spans.map(({ lane, name, start, end, note, series = 1 }) => {
              const from = x(new Date(start));
              const wide = Math.max(3, x(new Date(end ?? until)) - from - 2);
              return (
                <g key={`${lane} ${name} ${start}`} transform={`translate(${from} ${ROW * names.indexOf(lane) + 4})`}>
                  <rect width={wide} height={ROW - 8} rx="5" className={`span series-${series}`} />
                  <text x="7" y={(ROW - 8) / 2} dy="0.32em" className="in-span">
                    {fitting(name, wide - 12)}
                  </text>
                  <title>{`${name}, from ${inFull(new Date(start))} to ${end ? inFull(new Date(end)) : "now"}${note ? `: ${note}` : ""}`}</title>
                </g>
              );
            })}
          </>
        );
      }}
    </ChartFrame>
  );
}
