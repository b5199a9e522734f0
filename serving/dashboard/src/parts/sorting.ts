/** The order of a table's rows, as an address says it: `stories` ascending, `-stories` descending. */

export type Sortable = string | number | null;

export interface Order {
  key: string;
  descending: boolean;
}

export const parseOrder = (written: string): Order => ({ key: written.replace(/^-/, ""), descending: written.startsWith("-") });
export const writeOrder = ({ key, descending }: Order): string => (descending ? "-" : "") + key;

/** Sorted; equal rows stay as they were, and what is not there comes last in either direction. */
export function sorted<Row>(rows: readonly Row[], value: (row: Row) => Sortable, descending: boolean): Row[] {
  return [...rows].sort((a, b) => {
    const [left, right] = [value(a), value(b)];
    if (left == null || right == null) return Number(left == null) - Number(right == null);
    const order =
      typeof left === "number" && typeof right === "number" ? left - right : String(left).localeCompare(String(right), "en", { numeric: true });
    return descending ? -order : order;
  });
}
