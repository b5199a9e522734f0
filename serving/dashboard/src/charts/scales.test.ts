import { describe, expect, it } from "vitest";
import { domainOf, fitting, lanes, nearest, toldApart } from "./scales";

describe("ticks", () => {
  it("of counts are whole, so that no two read alike", () => {
    expect(toldApart([0, 0.2, 0.4, 0.6, 0.8, 1], (value) => value.toFixed(0))).toEqual([0, 1]);
    expect(toldApart([0, 0.5, 1], (value) => value.toFixed(1))).toEqual([0, 0.5, 1]);
  });
});

describe("domains", () => {
  it("are never empty, so that no scale divides by nothing", () => {
    expect(domainOf([])).toEqual([0, 1]);
    expect(domainOf([null, undefined, Number.NaN])).toEqual([0, 1]);
    expect(domainOf([0, 0])).toEqual([0, 1]);
    expect(domainOf([4, 4])).toEqual([2, 6]);
    expect(domainOf([-4])).toEqual([-6, -2]);
  });

  it("have a margin, but not beyond a bound that was given", () => {
    expect(domainOf([1, 10], [0])).toEqual([0, 10.6]);
    expect(domainOf([0.2, 0.8], [0, 1])).toEqual([0, 1]);
  });
});

it("finds the nearest place, also outside of all", () => {
  expect(nearest([], 5)).toBe(-1);
  expect(nearest([0, 10, 20], -100)).toBe(0);
  expect(nearest([0, 10, 20], 14)).toBe(1);
  expect(nearest([0, 10, 20], 99)).toBe(2);
});

it("cuts names to their room, and drops what would be a letter alone", () => {
  expect(fitting("v1.0.0-vader", 200)).toBe("v1.0.0-vader");
  expect(fitting("v1.0.0-vader", 40)).toBe("v1.0.…");
  expect(fitting("v1.0.0-vader", 12)).toBe("");
});

it("puts spans that overlap into lanes of their own, and takes a lane again when it is free", () => {
  const span = (start: number, end: number) => ({ start: new Date(start), end: new Date(end) });
  expect(lanes([span(0, 10), span(5, 15), span(10, 20), span(12, 13)])).toEqual([0, 1, 0, 2]);
});
