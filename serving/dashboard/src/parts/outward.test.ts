import { expect, it } from "vitest";
import { webAddress } from "./outward";

it("links to pages of the web, and to nothing that runs or reads", () => {
  expect(webAddress("https://news.example/a?b=1")).toBe("https://news.example/a?b=1");
  expect(webAddress("http://news.example")).toBe("http://news.example/");
  for (const written of ["javascript:alert(1)", " JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "data:text/html,<b>", "file:///etc/passwd",
    "blob:https://a/b", "vbscript:x", "//news.example", "/app", "news.example", "", null, undefined]) {
    expect(webAddress(written)).toBeNull();
  }
});
