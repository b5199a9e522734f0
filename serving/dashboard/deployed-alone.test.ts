// @vitest-environment node
import { expect, test } from "vitest";
import { type ApiDocument, apiOrigin, lacking } from "./deployed-alone";

test.each(["https://api.example.com", "https://api.example.com:8443", "http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000"])(
  "%s is the origin of an API",
  (written) => expect(apiOrigin(written)).toBe(written),
);

test.each([
  "api.example.com", "http://api.example.com", "https://api.example.com/", "https://api.example.com/v1", "https://user:word@api.example.com",
  "https://*", "https://*.example.com", "https:", "https://api.example.com; script-src *", "https://API.example.com", "ftp://127.0.0.1", "http://127.0.0.1.evil.example", "'self'",
])("%j is none, and the message says what to write", (written) => {
  expect(() => apiOrigin(written)).toThrow(/VITE_API_BASE .*Write scheme, host and port alone, such as https?:\/\//);
});

const document = (paths: string[], fields: Record<string, string[]>): ApiDocument => ({
  info: { version: "1" },
  paths: Object.fromEntries(paths.map((path) => [path, { get: {} }])),
  components: { schemas: Object.fromEntries(Object.entries(fields).map(([name, of]) => [name, { properties: Object.fromEntries(of.map((each) => [each, {}])) }])) },
});

test("an older API lacks routes and fields, a newer one and the same one lack nothing", () => {
  const older = document(["/news"], { Item: ["url"] });
  const newer = document(["/news", "/about"], { Item: ["url", "outlet"], About: ["version"] });
  expect(lacking(newer, older)).toEqual(["GET /about", "Item.outlet", "About.version"]);
  expect(lacking(older, newer)).toEqual([]);
  expect(lacking(newer, newer)).toEqual([]);
});
