/** Two distributions over the same bins: the one held against as an outline, the one looked at filled. */
import { scaleLinear } from "d3-scale";
import { percent } from "../parts/format";
import { AxisAlong, ValueAxis } from "./axes";
import { ChartFrame } from "./frame";
import { domainOf } from "./scales";

export interface Bin {
  low: number;
  high: number;
  /** Shares of the whole, 0 to 1. */
  reference: number;
  current: number;
}

interface Props {
  title: string;
  summary: string;
  bins: readonly Bin[];
  format: (value: number) => string;
  referenceName?: string;
  currentName?: string;
  height?: number;
}

const LEFT = 46;
const RIGHT = 22;
const TOP = 8;
const BOTTOM = 24;

export function HistogramPair({ title, summary, bins, format, referenceName = "before", currentName = "now", height = 200 }: Props) {
  const y = scaleLinear(domainOf(bins.flatMap(({ reference, current }) => [reference, current]), [0]), [height - BOTTOM, TOP]);
  return (
    <ChartFrame
      title={title}
      summary={summary}
      height={height}
      legend={
        <>
          <span className="key"><i className="box outline" aria-hidden="true" /> {referenceName}</span>
          <span className="key"><i className="box" aria-hidden="true" /> {currentName}</span>
        </>
      }
      table={{
        columns: ["From", "To", referenceName, currentName],
        rows: bins.map(({ low, high, reference, current }) => [format(low), format(high), percent(reference, 1), percent(current, 1)]),
      }}
    >
      {(width) => {
        const x = scaleLinear([bins[0]?.low ?? 0, bins.at(-1)?.high ?? 1], [LEFT, width - RIGHT]);
        const base = height - BOTTOM;
        const steps = bins.map(({ low, high, reference }) => `L${x(low)} ${y(reference)}L${x(high)} ${y(reference)}`).join("");
        return (
          <>
            <ValueAxis scale={y} left={LEFT} right={width - RIGHT} format={(value) => percent(value)} ticks={3} />
            <AxisAlong ticks={x.ticks(Math.max(2, Math.floor(width / 90))).map((at) => ({ at: x(at), text: format(at) }))} y={base} />
            {bins.map(({ low, high, current }) => (
              <rect key={low} className="bar" x={x(low) + 0.5} width={Math.max(1, x(high) - x(low) - 1)} y={y(current)} height={base - y(current)} />
            ))}
            {bins.length > 0 && <path className="outline" d={`M${x(bins[0]?.low ?? 0)} ${base}${steps}L${x(bins.at(-1)?.high ?? 1)} ${base}`} />}
          </>
        );
      }}
    </ChartFrame>
  );
}
