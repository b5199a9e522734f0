/** Named figures, or lists of them, as the check that found an incident wrote them down. */
import type { Schemas } from "../../api/client";
import { number, words } from "../../parts/format";

const written = (value: unknown): string => {
  if (value == null) return "-";
  if (typeof value === "number") return Number.isInteger(value) ? number(value) : number(value, 4);
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map(written).join("; ");
  if (typeof value === "object") {
    return Object.entries(value)
      .map(([name, part]) => `${words(name)} ${written(part)}`)
      .join(", ");
  }
  return String(value);
};

export const Detail = ({ detail }: { detail: Schemas["IncidentShown"]["detail"] }) => (
  <dl className="facts">
    {Object.entries(detail).map(([name, value]) => (
      <div key={name}>
        <dt>{words(name)}</dt>
        <dd>{written(value)}</dd>
      </div>
    ))}
  </dl>
);
