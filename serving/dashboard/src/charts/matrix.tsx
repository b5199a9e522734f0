/** A confusion matrix: what it was against what was said. A table by nature, so it is one, shaded by the share of its row. */
import { interpolateBlues } from "d3-scale-chromatic";
import { number, percent } from "../parts/format";

interface Props {
  title: string;
  /** Names of rows and columns, in the order of `counts`. */
  names: readonly string[];
  /** counts[truth][said]. */
  counts: readonly (readonly number[])[];
  rowTitle?: string;
  columnTitle?: string;
}

export function Matrix({ title, names, counts, rowTitle = "was", columnTitle = "said" }: Props) {
  return (
    <div className="table-scroll" role="region" aria-label={title} tabIndex={0}>
      <table className="matrix">
        <caption>{title}</caption>
        <thead>
          <tr>
            <th scope="col">
              {rowTitle} ↓ {columnTitle} →
            </th>
            {names.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
            <th scope="col">all</th>
          </tr>
        </thead>
        <tbody>
          {counts.map((row, at) => {
            const all = row.reduce((sum, count) => sum + count, 0);
            return (
              <tr key={names[at]}>
                <th scope="row">{names[at]}</th>
                {row.map((count, column) => {
                  const share = all > 0 ? count / all : 0;
                  return (
                    <td
                      key={names[column]}
                      className={at === column ? "right" : ""}
                      // Never so deep that dark letters could not be read on it.
                      style={{ background: interpolateBlues(0.04 + 0.48 * share), color: "#10202f" }}
                    >
                      <strong>{number(count)}</strong>
                      <span>{all > 0 ? percent(share) : "-"}</span>
                    </td>
                  );
                })}
                <td className="all">{number(all)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
