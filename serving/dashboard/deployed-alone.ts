/**
 * The build of pages that stand at another host than their API (`VITE_API_BASE`).
 *
 * Their own policy names the API's origin, so that they can ask nobody else, whatever the host's header allows. And the build asks that API
 * what it has: pages that are newer than it are refused, because serving is released before its dashboard.
 */
import { readFileSync } from "node:fs";
import type { Plugin } from "vite";

export interface ApiDocument {
  info: { version: string };
  paths: Record<string, Record<string, unknown>>;
  components?: { schemas?: Record<string, { properties?: Record<string, unknown> }> };
}

const TIME_LIMIT_MS = 60_000;
// A `*` is a host to URL, and every host to a policy.
const HOST = /^([a-z0-9.-]+|\[[0-9a-f:]+\])$/;
const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

/** What the pages are made for; their types are made of it, too. */
export const askedFor = JSON.parse(readFileSync(new URL("../openapi.json", import.meta.url), "utf8")) as ApiDocument;

/** The origin that was meant. Throws for anything but a plain https origin, or an http one of this machine. */
export function apiOrigin(written: string): string {
  const address = URL.canParse(written) ? new URL(written) : null;
  const secure = address?.protocol === "https:" || (address?.protocol === "http:" && LOOPBACK.includes(address.hostname));
  const plain = address && secure && HOST.test(address.hostname) ? address.origin : null;
  if (plain === written) return plain;
  const meant = plain ?? "https://api.example.com";
  throw new Error(`VITE_API_BASE is no origin of an API: ${JSON.stringify(written)}. Write scheme, host and port alone, such as ${meant}; http is for this machine only.`);
}

/** Routes and fields that the pages were made for and the API does not have. */
export function lacking(asked: ApiDocument, served: ApiDocument): string[] {
  const routes = Object.entries(asked.paths).flatMap(([path, methods]) =>
    Object.keys(methods).filter((method) => !served.paths[path]?.[method]).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const fields = Object.entries(asked.components?.schemas ?? {}).flatMap(([name, { properties = {} }]) => {
    const there = served.components?.schemas?.[name]?.properties ?? {};
    return Object.keys(properties).filter((field) => !(field in there)).map((field) => `${name}.${field}`);
  });
  return [...routes, ...fields];
}

async function servedBy(origin: string): Promise<ApiDocument> {
  const order = "Serving is released before its dashboard: deploy it, then build again.";
  let answer: Response;
  try {
    answer = await fetch(`${origin}/schema/openapi.json`, { signal: AbortSignal.timeout(TIME_LIMIT_MS) });
  } catch {
    throw new Error(`The API at ${origin} (VITE_API_BASE) gives no answer. ${order}`);
  }
  if (!answer.ok) throw new Error(`The API at ${origin} (VITE_API_BASE) answers ${answer.status} instead of what it has. ${order}`);
  return (await answer.json()) as ApiDocument;
}

export function deployedAlone(): Plugin {
  let origin: string | null = null;
  return {
    name: "deployed-alone",
    apply: "build",
    configResolved({ env }) {
      const written: string = env["VITE_API_BASE"] ?? "";
      if (written) origin = apiOrigin(written);
      else if (process.env["VERCEL"]) throw new Error("Vercel serves pages, and no API: set the variable VITE_API_BASE to the origin of serving.");
    },
    async buildStart() {
      if (!origin) return;
      const missing = lacking(askedFor, await servedBy(origin));
      if (missing.length === 0) return;
      const named = missing.slice(0, 5).join(", ") + (missing.length > 5 ? ` and ${missing.length - 5} more` : "");
      throw new Error(`The API at ${origin} is older than these pages: it lacks ${named}. Release serving first, then build again.`);
    },
    transformIndexHtml() {
      if (!origin) return [];
      const policy = { "http-equiv": "Content-Security-Policy", content: `connect-src ${origin}` };
      return [{ tag: "meta", attrs: policy, injectTo: "head-prepend" }];
    },
  };
}
