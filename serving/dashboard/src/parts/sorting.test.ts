import { expect, it } from "vitest";
import { parseOrder, sorted, writeOrder } from "./sorting";

it("keeps what is not there last, whatever the direction", () => {
  const rows = [{ n: 2 }, { n: null }, { n: -1 }, { n: 10 }];
  expect(sorted(rows, (row) => row.n, false).map((row) => row.n)).toEqual([-1, 2, 10, null]);
  expect(sorted(rows, (row) => row.n, true).map((row) => row.n)).toEqual([10, 2, -1, null]);
});

it("leaves equal rows as they came", () => {
  const rows = ["b1", "a1", "b2", "a2"];
  expect(sorted(rows, (row) => row[0] ?? null, true)).toEqual(["b1", "b2", "a1", "a2"]);
});

it("orders versions as a person counts", () => {
  expect(sorted(["v1.10.0", "v1.9.0"], (row) => row, false)).toEqual(["v1.9.0", "v1.10.0"]);
});

it("reads from an address what it wrote there", () => {
  for (const order of [{ key: "stories", descending: true }, { key: "stories", descending: false }]) {
    expect(parseOrder(writeOrder(order))).toEqual(order);
  }
});
