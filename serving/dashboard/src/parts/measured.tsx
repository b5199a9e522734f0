/** A measured figure with its 95 % interval; what was measured on texts that the version knew says so. */
import type { Schemas } from "../api/client";
import { number } from "./format";
import { None } from "./none";

type Metric = Schemas["MeasuredMetric"];

export const metricOf = (metrics: readonly Metric[], name: string): Metric | undefined => metrics.find(({ metric }) => metric === name);

export function Measured({ metric }: { metric: Metric | undefined }) {
  if (!metric) return <None why="it was not measured" />;
  return (
    <span className="measured" title={`95 % interval, ${metric.n.toLocaleString("en")} texts: ${metric.dataset}`}>
      {number(metric.value, 3)}{" "}
      <small>
        {number(metric.low, 3)} to {number(metric.high, 3)}
      </small>
      {metric.in_sample && <small className="warning"> in sample: no evidence</small>}
    </span>
  );
}
