import { expect, test } from "vitest";
import { visible, visibleText } from "./visible";

test.each([
  ["turned round", "pay \u202eno", "pay [U+202E]no"],
  ["never closed", "\u2067a \u2066b", "[U+2067]a [U+2066]b"],
  ["no room", "A\u200bB\ufeffC\u00adD", "A[U+200B]B[U+FEFF]C[U+00AD]D"],
  ["control", "a\u0000b\u0007c\u009bd", "a[U+0000]b[U+0007]c[U+009B]d"],
  ["tags", "a\u{e0041}", "a[U+E0041]"],
  ["nothing else", " \u200d\u200e ", " [U+200D][U+200E] "],
  ["piled up", `e${"\u0301".repeat(50)}!`, `e${"\u0301".repeat(4)}[+46 marks]!`],
])("what is unseen is shown: %s", (_, text, shown) => {
  expect(visibleText(text)).toBe(shown);
  expect(visibleText(shown)).toBe(shown);
});

test.each(["", "  ", "Profit rises 8 %", "<b>&amp;</b>", "a\tb\nc", "👩‍👧 🏳️‍🌈", "می‌خواهم", "שלום \u200f!", "Ẁ́ä", "हिन्दी की"])("what is written is left alone: %j", (text) => {
  expect(visibleText(text)).toBe(text);
});

test("names and texts at any depth are shown, figures and what is missing are left", () => {
  expect(visible({ "a\u202e": [{ b: "c\u200b", n: 1, none: null, yes: true }] })).toEqual({ "a[U+202E]": [{ b: "c[U+200B]", n: 1, none: null, yes: true }] });
});
