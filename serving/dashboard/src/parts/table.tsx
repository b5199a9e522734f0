/** Rows and columns; a click on a heading sorts, and the order is in the address (`param`). Too wide a table scrolls in itself. */
import type { ReactNode } from "react";
import { parseOrder, type Sortable, sorted, writeOrder } from "./sorting";
import { useParam } from "./url";

export interface Column<Row> {
  key: string;
  title: ReactNode;
  cell: (row: Row) => ReactNode;
  /** By what the column sorts; without it, it does not. */
  sort?: (row: Row) => Sortable;
  /** Numbers stand at the end of their cell. */
  numeric?: boolean;
  /** Names the row to screen readers. */
  heading?: boolean;
  className?: string;
}

interface Props<Row> {
  /** Says what the table shows; unseen unless `showCaption`. */
  caption: string;
  showCaption?: boolean;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  /** Where the address keeps the order; "" for a table that is not sorted. */
  param?: string;
  /** In whose order rows stand when the address says nothing; "" leaves them as they came. */
  order?: string;
  rowClass?: (row: Row) => string;
  /** So many rows are shown, of the order that is chosen. */
  most?: number;
}

export function Table<Row>({ caption, showCaption = false, columns, rows, rowKey, param = "", order = "", rowClass, most = Infinity }: Props<Row>) {
  const [given, setGiven] = useParam(param || "sort");
  const now = parseOrder((param && given) || order);
  const by = columns.find(({ key, sort }) => sort && key === now.key)?.sort;
  const shown = (by ? sorted(rows, by, now.descending) : rows).slice(0, most);
  const sortBy = (key: string) => {
    const next = writeOrder({ key, descending: key === now.key ? !now.descending : true });
    setGiven(next === order ? null : next);
  };
  return (
    <div className="table-scroll" role="region" aria-label={caption} tabIndex={0}>
      <table className="table">
        <caption className={showCaption ? "" : "unseen"}>{caption}</caption>
        <thead>
          <tr>
            {columns.map(({ key, title, sort, numeric, className = "" }) => (
              <th
                key={key}
                scope="col"
                className={`${numeric ? "numeric" : ""} ${className}`}
                aria-sort={sort && key === now.key ? (now.descending ? "descending" : "ascending") : undefined}
              >
                {param && sort ? (
                  <button type="button" className="sort" onClick={() => sortBy(key)}>
                    {title}
                    <span aria-hidden="true" className="direction">
                      {key === now.key ? (now.descending ? "↓" : "↑") : ""}
                    </span>
                  </button>
                ) : (
                  title
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <tr key={rowKey(row)} className={rowClass?.(row)}>
              {columns.map(({ key, cell, numeric, heading, className = "" }) =>
                heading ? (
                  <th key={key} scope="row" className={`${numeric ? "numeric" : ""} ${className}`}>
                    {cell(row)}
                  </th>
                ) : (
                  <td key={key} className={`${numeric ? "numeric" : ""} ${className}`}>
                    {cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
