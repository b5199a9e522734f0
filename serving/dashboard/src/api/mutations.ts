/** What a person changes: one hook a route. What follows from it is asked again at once. */
import { type QueryClient, useMutation, useQueryClient } from "@tanstack/react-query";
import { type ApiError, answered, bearer, client, type Schemas } from "./client";
import { KEYS } from "./queries";

export const useFeedback = () =>
  useMutation<Schemas["FeedbackAccepted"], ApiError, Schemas["FeedbackRequest"]>({
    mutationFn: (body) => answered(client.POST("/feedback", { body })),
  });

const changed = (queries: QueryClient) =>
  Promise.all([KEYS.status, KEYS.selections].map((key) => queries.invalidateQueries({ queryKey: [key] })));

/** An action with the key of the person who asks for it. */
export interface WithKey<Body> {
  key: string;
  body: Body;
}

export function useSelectVersion() {
  const queries = useQueryClient();
  return useMutation<Schemas["SelectionAnswer"], ApiError, WithKey<Schemas["SelectRequest"]>>({
    mutationFn: ({ key, body }) => answered(client.POST("/models/select", { body, headers: bearer(key) })),
    onSuccess: () => changed(queries),
  });
}

export function usePromote() {
  const queries = useQueryClient();
  return useMutation<Schemas["SelectionAnswer"], ApiError, WithKey<Schemas["PromoteRequest"]>>({
    mutationFn: ({ key, body }) => answered(client.POST("/models/promote", { body, headers: bearer(key) })),
    onSuccess: () => changed(queries),
  });
}

export function useRollback() {
  const queries = useQueryClient();
  return useMutation<Schemas["SelectionAnswer"], ApiError, WithKey<Schemas["RollbackRequest"]>>({
    mutationFn: ({ key, body }) => answered(client.POST("/models/rollback", { body, headers: bearer(key) })),
    onSuccess: () => changed(queries),
  });
}

/** `id`: of the alert. */
export interface Acknowledging extends WithKey<Schemas["AcknowledgeRequest"]> {
  id: string;
}

export function useAcknowledge() {
  const queries = useQueryClient();
  return useMutation<Schemas["AcknowledgementAnswer"], ApiError, Acknowledging>({
    mutationFn: ({ id, key, body }) =>
      answered(client.POST("/monitoring/alerts/{incident_id}/ack", { params: { path: { incident_id: id } }, body, headers: bearer(key) })),
    onSuccess: ({ dry_run: dryRun }) => (dryRun ? undefined : queries.invalidateQueries({ queryKey: [KEYS.alerts] })),
  });
}

/** `name`: of the switch. */
export interface Turning extends WithKey<Schemas["FlagRequest"]> {
  name: string;
}

export function useTurn() {
  const queries = useQueryClient();
  return useMutation<Schemas["FlagAnswer"], ApiError, Turning>({
    mutationFn: ({ name, key, body }) => answered(client.PUT("/flags/{name}", { params: { path: { name } }, body, headers: bearer(key) })),
    onSuccess: (_, { body: { dry_run: dryRun } }) => (dryRun ? undefined : queries.invalidateQueries({ queryKey: [KEYS.flags] })),
  });
}

/** Read with a key, so it is asked when a person asks, and kept by the page alone. */
export const useAuditTrail = () =>
  useMutation<Schemas["AuditTrail"], ApiError, { key: string }>({
    mutationFn: ({ key }) => answered(client.GET("/audit", { params: { query: { limit: 100 } }, headers: bearer(key) })),
  });
