import { expect, test } from "vitest";
import { skew } from "./versions";

test.each([["0.1.0", "0.1.0"], ["0.1", "0.1.0"], ["0.1.0", "0"], ["0", "0.1.0"], ["0.1.0", "0.1.0.dev3+g12"]])("%s and %s need no word", (pages, api) => {
  expect(skew(pages, api)).toBeNull();
});

test("the older side is the one to renew", () => {
  expect(skew("0.9.0", "0.10.0")).toMatch(/Load the page again.*build the dashboard again/);
  expect(skew("1.0.0", "0.10.0")).toMatch(/Release serving/);
});
