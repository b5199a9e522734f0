/**
 * One hook a route. A page never fetches by itself.
 *
 * Every answer is asked again after its interval, every 5 s while it failed (not where it was refused), and at once when an event says that it changed (`live.ts`).
 * A failed answer keeps what it had; `parts/loaded.tsx` then says since when it is stale.
 */
import { QueryClient, useQuery } from "@tanstack/react-query";
import { type ApiError, answered, client, mayPass, type Schemas } from "./client";

const SECOND = 1000;
const AGAIN_AFTER_FAILURE = 5 * SECOND;
/** Within the 5 s for which serving keeps what it reads: what took too long for one answer is in the next. */
const SOON = 3 * SECOND;

export const newQueryClient = () =>
  new QueryClient({
    defaultOptions: {
      queries: { retry: false, networkMode: "always", staleTime: 2 * SECOND, gcTime: 600 * SECOND },
      mutations: { retry: false, networkMode: "always" },
    },
  });

/** The first word of each query's key, so that an event can name what it changed. */
export const KEYS = {
  status: "models/status",
  performance: "models/performance",
  performanceHistory: "models/performance/history",
  selections: "models/selections",
  versions: "models",
  card: "models/version",
  experiments: "experiments",
  prediction: "predictions",
  featureSchema: "features",
  news: "news",
  tickers: "tickers",
  drift: "monitoring/drift",
  driftReports: "monitoring/drift-reports",
  driftReport: "monitoring/drift-report",
  deployments: "monitoring/deployments",
  alerts: "monitoring/alerts",
  service: "monitoring/service",
  sources: "monitoring/sources",
  quality: "monitoring/quality",
  decisions: "monitoring/decisions",
  runs: "monitoring/runs",
  health: "health",
  about: "about",
  flags: "flags",
} as const;

type Ask<Body> = (signal: AbortSignal) => Promise<{ data?: Body; error?: unknown; response: Response }>;

/** `everyMs` null: the answer never changes. `awaited`: what is not there yet comes within seconds. `soon`: a part is missing, and is asked for again. */
function useAnswer<Body>(key: readonly unknown[], everyMs: number | null, ask: Ask<Body>, enabled = true, awaited = false, soon: (body: Body) => boolean = () => false) {
  return useQuery<Body, ApiError>({
    queryKey: key,
    queryFn: ({ signal }) => answered(ask(signal)),
    enabled,
    staleTime: everyMs === null ? Infinity : 2 * SECOND,
    refetchInterval: ({ state: { data, error } }) => {
      if (error == null) return data !== undefined && soon(data) ? SOON : (everyMs ?? false);
      if (mayPass(error) || (awaited && error.status === 404)) return AGAIN_AFTER_FAILURE;
      return error.status === 404 ? (everyMs ?? false) : false;
    },
  });
}

export interface Paged {
  limit?: number;
  offset?: number;
}

export const useStatus = () =>
  useAnswer([KEYS.status], 10 * SECOND, (signal) => client.GET("/models/status", { signal }));

export const usePerformance = () =>
  useAnswer([KEYS.performance], 60 * SECOND, (signal) => client.GET("/models/performance", { signal }));

export interface HistoryQuestion {
  version: string;
  metric?: string;
  limit?: number;
}

/** Every revision of one figure; waits while `query` is null. */
export const usePerformanceHistory = (query: HistoryQuestion | null) =>
  useAnswer(
    [KEYS.performanceHistory, query],
    60 * SECOND,
    (signal) => client.GET("/models/performance/history", { params: { query: query ?? { version: "" } }, signal }),
    query !== null,
  );

/** What persons chose, and which replicas have it; `everyMs` is short while one waits for a request of its own. */
export const useSelections = (query: Paged = {}, everyMs = 30 * SECOND) =>
  useAnswer([KEYS.selections, query], everyMs, (signal) => client.GET("/models/selections", { params: { query }, signal }));

export const useVersions = (query: Paged = {}) =>
  useAnswer([KEYS.versions, query], 60 * SECOND, (signal) => client.GET("/models", { params: { query }, signal }));

/** The card of a version; waits while `version` is null. */
export const useCard = (version: string | null) =>
  useAnswer(
    [KEYS.card, version],
    60 * SECOND,
    // The client reads tuples as arrays of any length; the document says how long they are.
    (signal) =>
      client.GET("/models/{version}", { params: { path: { version: version ?? "" } }, signal }) as ReturnType<Ask<Schemas["ModelCard"]>>,
    version !== null,
  );

export interface ExperimentsQuestion extends Paged {
  version?: string;
  other?: string;
}

export const useExperiments = (query: ExperimentsQuestion = {}) =>
  useAnswer([KEYS.experiments, query], 60 * SECOND, (signal) => client.GET("/experiments", { params: { query }, signal }));

/** Where an answer came from; waits while `id` is null. */
export const usePrediction = (id: string | null) =>
  useAnswer(
    [KEYS.prediction, id],
    null,
    (signal) => client.GET("/predictions/{prediction_id}", { params: { path: { prediction_id: id ?? "" } }, signal }),
    id !== null,
    true,
  );

export const useFeatureSchema = (version: string | null) =>
  useAnswer(
    [KEYS.featureSchema, version],
    null,
    (signal) => client.GET("/features/{version}", { params: { path: { version: version ?? "" } }, signal }),
    version !== null,
  );

export interface NewsQuestion {
  symbol?: string;
  since?: string;
  limit?: number;
  cursor?: string;
}

export const useNews = (query: NewsQuestion = {}, enabled = true) =>
  useAnswer([KEYS.news, query], 30 * SECOND, (signal) => client.GET("/news", { params: { query }, signal }), enabled);

/** One page of news, asked for once: for what is older than a page that is shown. */
export const newsPage = (query: NewsQuestion): Promise<Schemas["NewsAnswer"]> =>
  answered(client.GET("/news", { params: { query } }));

export interface TickersQuestion {
  days?: number;
  limit?: number;
  family?: string;
}

export const useTickers = (query: TickersQuestion = {}) =>
  useAnswer([KEYS.tickers, query], 30 * SECOND, (signal) => client.GET("/tickers", { params: { query }, signal }));

export const useDrift = () =>
  useAnswer([KEYS.drift], 60 * SECOND, (signal) => client.GET("/monitoring/drift", { signal }));

export interface DriftReportsQuestion {
  version?: string;
  limit?: number;
}

/** The reports of a version over time; without one, of all. */
export const useDriftReports = (query: DriftReportsQuestion = {}) =>
  useAnswer([KEYS.driftReports, query], 60 * SECOND, (signal) => client.GET("/monitoring/drift-reports", { params: { query }, signal }));

/** A report with both distributions behind each figure; waits while `id` is null. */
export const useDriftReport = (id: string | null) =>
  useAnswer(
    [KEYS.driftReport, id],
    null,
    (signal) => client.GET("/monitoring/drift-reports/{report_id}", { params: { path: { report_id: id ?? "" } }, signal }),
    id !== null,
  );

export const useDeployments = () =>
  useAnswer([KEYS.deployments], 30 * SECOND, (signal) => client.GET("/monitoring/deployments", { signal }));

export const useAlerts = (query: Paged = {}) =>
  useAnswer([KEYS.alerts, query], 30 * SECOND, (signal) => client.GET("/monitoring/alerts", { params: { query }, signal }));

export type ServiceWindow = Schemas["ServiceReport"]["window"];

export const useService = (window: ServiceWindow = "24h") =>
  useAnswer([KEYS.service, window], 15 * SECOND, (signal) => client.GET("/monitoring/service", { params: { query: { window } }, signal }), true, false, ({ missing }) => missing != null);

export const useSources = () =>
  useAnswer([KEYS.sources], 30 * SECOND, (signal) => client.GET("/monitoring/sources", { signal }));

export const useQuality = () =>
  useAnswer([KEYS.quality], 60 * SECOND, (signal) => client.GET("/monitoring/quality", { signal }));

export const useDecisions = (query: Paged = {}) =>
  useAnswer([KEYS.decisions, query], 60 * SECOND, (signal) => client.GET("/monitoring/decisions", { params: { query }, signal }));

export const useRuns = (query: Paged = {}) =>
  useAnswer([KEYS.runs, query], 30 * SECOND, (signal) => client.GET("/monitoring/runs", { params: { query }, signal }));

export const useHealth = () =>
  useAnswer([KEYS.health], 10 * SECOND, async (signal) => {
    const reply = await client.GET("/health", { signal });
    // "Not ready" comes with 503 and the same body: it is an answer, not a failure.
    const body = reply.error as unknown;
    const told = typeof body === "object" && body !== null && "dependencies" in body;
    return told ? { data: body as Schemas["Health"], response: new Response(null, { status: 200 }) } : reply;
  });

/** The switches; `everyMs` is short while one waits for a change to be everywhere. */
export const useFlags = (everyMs = 10 * SECOND) =>
  useAnswer([KEYS.flags], everyMs, (signal) => client.GET("/flags", { signal }), true, false, ({ missing }) => missing != null);

/** What this installation is: for links to the Dagster UI and the like. */
export const useAbout = () => useAnswer([KEYS.about], 5 * 60 * SECOND, (signal) => client.GET("/about", { signal }));

/** Every family's answer to one text, asked once; waits while there is none. What the API refused is not asked again. */
export const useComparison = (body: Schemas["PredictRequest"] | null) =>
  useQuery<Schemas["CompareAnswer"], ApiError>({
    queryKey: ["predict/compare", body],
    queryFn: ({ signal }) => answered(client.POST("/predict/compare", { body: body ?? { text: "" }, signal })),
    enabled: body !== null,
    staleTime: Infinity,
    refetchInterval: ({ state: { error } }) => (error && mayPass(error) ? AGAIN_AFTER_FAILURE : false),
  });
