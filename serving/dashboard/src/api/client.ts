/** Asks the API: typed by its OpenAPI document, with a time limit, and with one kind of error that a page can show. */
import createClient from "openapi-fetch";
import type { components, paths } from "./schema";
import { visible } from "./visible";

export type Schemas = components["schemas"];

/** Where the API is: the same origin unless the build was told otherwise. */
export const API_BASE: string = import.meta.env.VITE_API_BASE || window.location.origin;
const TIME_LIMIT_MS = 15_000;

export const client = createClient<paths>({
  baseUrl: API_BASE,
  fetch: (request) => fetch(new Request(request, { signal: AbortSignal.any([request.signal, AbortSignal.timeout(TIME_LIMIT_MS)]) })),
});

/** Why there is no answer. `status` is 0 where none came at all; `code` and `detail` are the API's own words. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly requestId: string | null = null,
    readonly errors: Schemas["FieldError"][] = [],
  ) {
    super(detail);
    this.name = "ApiError";
  }
}

interface Reply<Body> {
  data?: Body;
  error?: unknown;
  response: Response;
}

/** The body of a good answer; anything else is thrown as an ApiError. */
export async function answered<Body>(asked: Promise<Reply<Body>>): Promise<Body> {
  let reply: Reply<Body>;
  try {
    reply = await asked;
  } catch (fault) {
    if (fault instanceof DOMException && fault.name === "AbortError") throw fault;
    throw unreachable(fault);
  }
  if (reply.response.ok && reply.data !== undefined) return visible(reply.data);
  throw refused(reply.response, reply.error);
}

function unreachable(fault: unknown): ApiError {
  const slow = fault instanceof DOMException && fault.name === "TimeoutError";
  return slow
    ? new ApiError(0, "time_limit", `The API gave no answer within ${TIME_LIMIT_MS / 1000} s.`)
    : new ApiError(0, "unreachable", "The API cannot be reached.");
}

/** An answer that is no good answer, in the API's words where it has any (`application/problem+json`). */
export function refused(response: Response, body: unknown): ApiError {
  const problem = (typeof body === "object" && body !== null ? visible(body) : {}) as Partial<Schemas["ProblemDocument"]>;
  const code = problem.code ?? `http_${response.status}`;
  // What a route does not find has a code of its own.
  const noRoute = response.status === 404 && ["not_found", "http_404"].includes(code);
  return new ApiError(
    response.status,
    code,
    noRoute ? "The API has no such route, so it is older than these pages. Release serving." : (problem.detail ?? `The API answered ${response.status}.`),
    problem.request_id ?? response.headers.get("x-request-id"),
    problem.errors ?? [],
  );
}

/** Whether asking again may help: what the API refused, it refuses again. */
export const mayPass = ({ status }: ApiError): boolean => status === 0 || status === 429 || status >= 500;

/** The header that a protected route wants. The key stays in the caller's memory. */
export const bearer = (key: string): { Authorization: string } => ({ Authorization: `Bearer ${key}` });
