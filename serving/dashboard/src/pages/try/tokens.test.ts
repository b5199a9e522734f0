import { describe, expect, it } from "vitest";
import { byToken, strength } from "./tokens";

const entry = (token: string, position: number, contribution: number, rule = "learned") => ({ token, position, contribution, rule });

describe("byToken", () => {
  it("adds up the rules of a token and keeps the order of the text", () => {
    const tokens = byToken([entry("slide", 1, -0.5), entry("Shares", 0, 0.1), entry("slide", 1, 0.2, "but_clause")]);
    expect(tokens.map(({ token }) => token)).toEqual(["Shares", "slide"]);
    expect(tokens[1]?.moved).toBeCloseTo(-0.3);
    expect(tokens[1]?.rules).toHaveLength(2);
  });

  it("shows a word at the place of a phrase, whichever of them comes first", () => {
    for (const entries of [
      [entry("slide as", 1, -0.1), entry("slide", 1, -0.4)],
      [entry("slide", 1, -0.4), entry("slide as", 1, -0.1)],
    ]) {
      expect(byToken(entries)[0]).toMatchObject({ token: "slide", moved: -0.5 });
    }
  });

  it("shows the first word of a phrase whose other words stand beside it", () => {
    expect(byToken([entry("the company", 0, 0.1), entry("company", 1, 0, "")]).map(({ token }) => token)).toEqual(["the", "company"]);
  });

  it("keeps tokens that nothing moved, without a rule", () => {
    expect(byToken([entry("the", 0, 0, "")])[0]).toMatchObject({ token: "the", moved: 0, rules: [] });
  });
});

describe("strength", () => {
  it("is full for the token that moved most", () => {
    const tokens = byToken([entry("a", 0, 0.8), entry("b", 1, -0.4)]);
    expect(strength(0.8, tokens)).toBe(1);
    expect(strength(-0.4, tokens)).toBe(0.5);
  });

  it("stays faint where nothing moved much", () => {
    expect(strength(0.02, byToken([entry("a", 0, 0.02)]))).toBeCloseTo(0.1);
  });
});
