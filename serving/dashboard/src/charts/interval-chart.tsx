/** Estimates with their intervals, one a row, against a line of reference: does the interval hold nought or not? */
import { scaleLinear } from "d3-scale";
import { AxisAlong } from "./axes";
import { ChartFrame } from "./frame";
import { domainOf, fitting } from "./scales";

export interface Interval {
  name: string;
  value: number;
  low: number | null;
  high: number | null;
  /** Beside the figures in the table: of how many, from what. */
  note?: string;
  series?: number;
}

interface Props {
  title: string;
  summary: string;
  intervals: readonly Interval[];
  format: (value: number) => string;
  /** Drawn as a strong line: 0 for differences. */
  reference?: number | null;
  include?: readonly number[];
}

const ROW = 34;
const TOP = 6;
const BOTTOM = 24;

export function IntervalChart({ title, summary, intervals, format, reference = null, include = [] }: Props) {
  const height = TOP + ROW * Math.max(1, intervals.length) + BOTTOM;
  const bounds = reference === null ? include : [...include, reference];
  const domain = domainOf(intervals.flatMap(({ value, low, high }) => [value, low, high, reference]), include);
  return (
    <ChartFrame
      title={title}
      summary={summary}
      height={height}
      table={{
        columns: ["Of", "Estimate", "From", "To", "Note"],
        rows: intervals.map(({ name, value, low, high, note }) => [
          name, format(value), low === null ? "-" : format(low), high === null ? "-" : format(high), note ?? "-",
        ]),
      }}
    >
      {(width) => {
        // Room for the longest name, as long as a third to a half of the width is left for the drawing.
        const longest = 7 * Math.max(...intervals.map(({ name }) => name.length)) + 12;
        const left = Math.min(longest, Math.max(96, width * (width < 500 ? 0.34 : 0.45)));
        const right = 66;
        const x = scaleLinear(domain, [left, Math.max(left + 40, width - right)]);
        return (
          <>
            <AxisAlong ticks={x.ticks(Math.max(2, Math.floor((width - left) / 90))).map((at) => ({ at: x(at), text: format(at) }))} y={height - BOTTOM} to={TOP} />
            {bounds.filter((bound) => bound === reference).map((bound) => (
              <line key={bound} className="reference" x1={x(bound)} x2={x(bound)} y1={TOP} y2={height - BOTTOM} />
            ))}
            {intervals.map(({ name, value, low, high, series = 1 }, index) => (
              <g key={name} transform={`translate(0 ${TOP + ROW * (index + 0.5)})`}>
                <text x="0" dy="0.32em" className="name">
                  {fitting(name, left - 8)}
                  <title>{name}</title>
                </text>
                {low !== null && high !== null && (
                  <>
                    <line x1={x(low)} x2={x(high)} className={`whisker series-${series}`} />
                    <line x1={x(low)} x2={x(low)} y1="-5" y2="5" className={`whisker thin series-${series}`} />
                    <line x1={x(high)} x2={x(high)} y1="-5" y2="5" className={`whisker thin series-${series}`} />
                  </>
                )}
                <circle cx={x(value)} r="5" className={`dot series-${series}`} />
                <text x={width} dy="0.32em" textAnchor="end" className="value">
                  {format(value)}
                </text>
              </g>
            ))}
          </>
        );
      }}
    </ChartFrame>
  );
}
