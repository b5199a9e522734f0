/** Calibration: how often it was right (with its interval) against how sure it was. On the diagonal a confidence is a probability. */
import { scaleLinear } from "d3-scale";
import type { Schemas } from "../api/client";
import { number, percent } from "../parts/format";
import { AxisAlong, ValueAxis } from "./axes";
import { ChartFrame, Key } from "./frame";

interface Props {
  title: string;
  summary: string;
  curves: readonly { name: string; bins: readonly Schemas["ReliabilityBin"][] }[];
  height?: number;
}

const LEFT = 46;
const RIGHT = 22;
const TOP = 8;
const BOTTOM = 26;

export function Calibration({ title, summary, curves, height = 260 }: Props) {
  const filled = curves.map(({ name, bins }) => ({ name, bins: bins.filter(({ count }) => count > 0) }));
  const most = Math.max(1, ...filled.flatMap(({ bins }) => bins.map(({ count }) => count)));
  return (
    <ChartFrame
      title={title}
      summary={summary}
      height={height}
      legend={curves.length > 1 && curves.map(({ name }, index) => <Key key={name} series={index + 1}>{name}</Key>)}
      table={{
        columns: ["Version", "Confidence", "Texts", "Mean confidence", "Right", "From", "To"],
        rows: filled.flatMap(({ name, bins }) =>
          bins.map((bin) => [
            name, `${percent(bin.low)} to ${percent(bin.high)}`, number(bin.count), percent(bin.confidence), percent(bin.accuracy),
            percent(bin.accuracy_low), percent(bin.accuracy_high),
          ]),
        ),
      }}
    >
      {(width) => {
        const x = scaleLinear([0, 1], [LEFT, width - RIGHT]);
        const y = scaleLinear([0, 1], [height - BOTTOM, TOP]);
        return (
          <>
            <ValueAxis scale={y} left={LEFT} right={width - RIGHT} format={(value) => percent(value)} />
            <AxisAlong ticks={x.ticks(5).map((at) => ({ at: x(at), text: percent(at) }))} y={height - BOTTOM} />
            <line className="diagonal" x1={x(0)} y1={y(0)} x2={x(1)} y2={y(1)} />
            {filled.map(({ name, bins }, index) => (
              <g key={name}>
                {bins.map((bin) =>
                  bin.confidence == null || bin.accuracy == null ? null : (
                    <g key={bin.low}>
                      {bin.accuracy_low != null && bin.accuracy_high != null && (
                        <line
                          className={`whisker thin series-${index + 1}`}
                          x1={x(bin.confidence)} x2={x(bin.confidence)} y1={y(bin.accuracy_low)} y2={y(bin.accuracy_high)}
                        />
                      )}
                      <circle className={`dot series-${index + 1}`} cx={x(bin.confidence)} cy={y(bin.accuracy)} r={3 + 5 * Math.sqrt(bin.count / most)}>
                        <title>{`${name}: ${percent(bin.confidence)} sure, right in ${percent(bin.accuracy)} of ${number(bin.count)}`}</title>
                      </circle>
                    </g>
                  ),
                )}
              </g>
            ))}
          </>
        );
      }}
    </ChartFrame>
  );
}
