/** Lines over time, each with its band where it has one. What is missing leaves a gap and is not drawn over. */
import { scaleLinear, scaleTime } from "d3-scale";
import { area, line } from "d3-shape";
import { type PointerEvent, useState } from "react";
import { inFull } from "../parts/format";
import { AxisAlong, timeTicks, ValueAxis } from "./axes";
import { ChartFrame, Key } from "./frame";
import { domainOf, nearest } from "./scales";

export interface LinePoint {
  at: string;
  value: number | null;
  low?: number | null;
  high?: number | null;
}

export interface Line {
  name: string;
  points: readonly LinePoint[];
}

interface Props {
  title: string;
  summary: string;
  lines: readonly Line[];
  format: (value: number) => string;
  /** Values that the axis holds in any case: 0, or the bounds of a share. */
  include?: readonly number[];
  /** A level to be held against, such as a limit. */
  limit?: { value: number; name: string };
  height?: number;
}

const LEFT = 52;
const RIGHT = 22;
const TOP = 10;
const BOTTOM = 24;

export function LineChart({ title, summary, lines, format, include = [0], limit, height = 200 }: Props) {
  const [at, setAt] = useState<string | null>(null);
  const moments = [...new Set(lines.flatMap(({ points }) => points.map((point) => point.at)))].sort();
  const values = lines.flatMap(({ points }) => points.flatMap(({ value, low, high }) => [value, low, high]));
  const y = scaleLinear(domainOf([...values, limit?.value], include), [height - BOTTOM, TOP]);
  const valueAt = (points: readonly LinePoint[], moment: string) => points.find((point) => point.at === moment)?.value ?? null;
  const written = (value: number | null) => (value == null ? "-" : format(value));
  return (
    <ChartFrame
      title={title}
      summary={summary}
      height={height}
      legend={lines.length > 1 && lines.map(({ name }, index) => <Key key={name} series={index + 1}>{name}</Key>)}
      readout={at && `${inFull(new Date(at))}: ${lines.map(({ name, points }) => `${name} ${written(valueAt(points, at))}`).join(", ")}`}
      table={{
        columns: ["Time", ...lines.map(({ name }) => name)],
        rows: moments.map((moment) => [inFull(new Date(moment)), ...lines.map(({ points }) => written(valueAt(points, moment)))]),
      }}
    >
      {(width) => {
        const [first, last] = [moments[0], moments.at(-1)];
        const x = scaleTime([new Date(first ?? 0), new Date(last ?? 1)], [LEFT, width - RIGHT]);
        const place = (point: LinePoint) => x(new Date(point.at));
        const path = line<LinePoint>(place, ({ value }) => y(value ?? 0)).defined(({ value }) => value != null);
        const band = area<LinePoint>(place, ({ low }) => y(low ?? 0), ({ high }) => y(high ?? 0)).defined(
          ({ low, high }) => typeof low === "number" && typeof high === "number",
        );
        const point = (event: PointerEvent<SVGRectElement>) => {
          const from = event.currentTarget.ownerSVGElement?.getBoundingClientRect().left ?? 0;
          setAt(moments[nearest(moments.map((moment) => x(new Date(moment))), event.clientX - from)] ?? null);
        };
        return (
          <>
            <ValueAxis scale={y} left={LEFT} right={width - RIGHT} format={format} />
            <AxisAlong ticks={timeTicks(x, Math.max(2, Math.floor(width / 90)))} y={height - BOTTOM} />
            {limit && (
              <g className="limit">
                <line x1={LEFT} x2={width - RIGHT} y1={y(limit.value)} y2={y(limit.value)} />
                <text x={width - RIGHT} y={y(limit.value) - 4} textAnchor="end">
                  {limit.name}
                </text>
              </g>
            )}
            {lines.map(({ name, points }, index) => (
              <g key={name}>
                <path d={band(points) ?? undefined} className={`band series-${index + 1}`} />
                <path d={path(points) ?? undefined} className={`line series-${index + 1}`} />
                {points.map((shown, position) => {
                  const alone = (points[position - 1]?.value ?? null) == null && (points[position + 1]?.value ?? null) == null;
                  return shown.value != null && (alone || shown.at === at) ? (
                    <circle key={shown.at} cx={place(shown)} cy={y(shown.value)} r="3" className={`dot series-${index + 1}`} />
                  ) : null;
                })}
              </g>
            ))}
            {at && <line className="cursor" x1={x(new Date(at))} x2={x(new Date(at))} y1={TOP} y2={height - BOTTOM} />}
            <rect x={LEFT} y={0} width={Math.max(0, width - LEFT - RIGHT)} height={height - BOTTOM} className="catch" onPointerMove={point} onPointerLeave={() => setAt(null)} />
          </>
        );
      }}
    </ChartFrame>
  );
}
