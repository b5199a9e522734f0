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
/** Where the name of a row stands above its interval. */
const TALL_ROW = 48;
const NARROW = 500;
const TOP = 6;
const BOTTOM = 24;

export function IntervalChart({ title, summary, intervals, format, reference = null, include = [] }: Props) {
  // A name that is cut is no name: where there is no room beside the drawing, it stands above.
  const longest = 7 * Math.max(0, ...intervals.map(({ name }) => name.length)) + 12;
  const above = (width: number) => width < NARROW && longest > width * 0.34;
  const rowOf = (width: number) => (above(width) ? TALL_ROW : ROW);
  const heightOf = (width: number) => TOP + rowOf(width) * Math.max(1, intervals.length) + BOTTOM;
  const bounds = reference == null ? include : [...include, reference];
  const domain = domainOf(intervals.flatMap(({ value, low, high }) => [value, low, high, reference]), include);
  return (
    <ChartFrame
      title={title}
      summary={summary}
      height={heightOf}
      table={{
        columns: ["Of", "Estimate", "From", "To", "Note"],
        rows: intervals.map(({ name, value, low, high, note }) => [
          name, format(value), low == null ? "-" : format(low), high == null ? "-" : format(high), note ?? "-",
        ]),
      }}
    >
      {(width) => {
        const [height, row, stacked] = [heightOf(width), rowOf(width), above(width)];
        const left = stacked ? 20 : Math.min(longest, width * 0.45);
        const right = 66;
        const x = scaleLinear(domain, [left, Math.max(left + 40, width - right)]);
        return (
          <>
            <AxisAlong ticks={x.ticks(Math.max(2, Math.floor((width - left) / 90))).map((at) => ({ at: x(at), text: format(at) }))} y={height - BOTTOM} to={TOP} />
            {bounds.filter((bound) => bound === reference).map((bound) => (
              <line key={bound} className="reference" x1={x(bound)} x2={x(bound)} y1={TOP} y2={height - BOTTOM} />
            ))}
            {intervals.map(({ name, value, low, high, series = 1 }, index) => (
              <g key={name} transform={`translate(0 ${TOP + row * (index + (stacked ? 0.7 : 0.5))})`}>
                <text x="0" y={stacked ? -18 : 0} dy="0.32em" className="name">
                  {fitting(name, stacked ? width : left - 8)}
                  <title>{name}</title>
                </text>
                {low != null && high != null && (
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
