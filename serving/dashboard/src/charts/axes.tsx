/** Axes: few ticks, thin lines, text at its own size. */
import type { ScaleLinear, ScaleTime } from "d3-scale";
import { toldApart } from "./scales";

interface ValueAxis {
  scale: ScaleLinear<number, number>;
  left: number;
  right: number;
  format: (value: number) => string;
  ticks?: number;
}

/** Horizontal lines with their values at the left. */
export const ValueAxis = ({ scale, left, right, format, ticks = 4 }: ValueAxis) => (
  <g className="axis">
    {toldApart(scale.ticks(ticks), format).map((value) => (
      <g key={value} transform={`translate(0 ${scale(value)})`}>
        <line x1={left} x2={right} className={value === 0 ? "zero" : ""} />
        <text x={left - 6} dy="0.32em" textAnchor="end">
          {format(value)}
        </text>
      </g>
    ))}
  </g>
);

interface Along {
  ticks: readonly { at: number; text: string }[];
  y: number;
  /** Draws a line up to here at each tick. */
  to?: number;
}

/** Values or times along the bottom; those too near to the one before are left out. */
export function AxisAlong({ ticks, y, to }: Along) {
  let last = -Infinity;
  const shown = ticks.filter(({ at, text }) => {
    const fits = at - last > 7 * text.length + 10;
    if (fits) last = at;
    return fits;
  });
  return (
    <g className="axis">
      {shown.map(({ at, text }) => (
        <g key={at} transform={`translate(${at} 0)`}>
          {to !== undefined && <line y1={y} y2={to} />}
          <text y={y + 15} textAnchor="middle">
            {text}
          </text>
        </g>
      ))}
    </g>
  );
}

/** Ticks of a scale of time, in the reader's time zone: hours within two days, else days. */
export function timeTicks(scale: ScaleTime<number, number>, count: number): { at: number; text: string }[] {
  const [from, to] = scale.domain() as [Date, Date];
  const short = to.getTime() - from.getTime() <= 2 * 86_400_000;
  return scale.ticks(count).map((at) => ({
    at: scale(at),
    text: short
      ? at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })
      : at.toLocaleDateString("en-GB", { day: "numeric", month: "short" }),
  }));
}
