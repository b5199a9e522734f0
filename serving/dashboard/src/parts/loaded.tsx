/**
 * What a query has: waiting, nothing because it failed, its data, or its last data under a band that says since when it is stale.
 *
 * Failed queries ask again by themselves every 5 s (`api/queries.ts`), so the band goes away without a click.
 */
import type { ReactNode } from "react";
import type { UseQueryResult } from "@tanstack/react-query";
import { type ApiError, mayPass } from "../api/client";
import { Contained } from "./contained";
import { Empty } from "./empty";
import { moment } from "./format";
import { useNow } from "./now";

interface Props<Body> {
  query: Pick<UseQueryResult<Body, ApiError>, "data" | "error" | "dataUpdatedAt">;
  /** What is asked for, as the subject of a sentence: "The news". */
  what: string;
  children: (body: Body) => ReactNode;
}

export function Loaded<Body>({ query, what, children }: Props<Body>) {
  const { data } = query;
  if (data === undefined) {
    return query.error ? <Failed what={what} error={query.error} /> : <p className="waiting">{what}: asking…</p>;
  }
  return (
    <>
      {query.error && <Stale since={query.dataUpdatedAt} error={query.error} />}
      <Contained what={what} body={data} draw={() => children(data)} />
    </>
  );
}

export function Stale({ since, error }: { since: number; error: ApiError }) {
  const now = useNow();
  return (
    <p className="band stale" role="status">
      <strong>Stale since {moment(new Date(since), now)}.</strong> {error.detail} {mayPass(error) && "It is asked again every 5 s."}
    </p>
  );
}

interface Failure {
  what: string;
  error: ApiError;
  /** Whether it is asked again by itself, where that may help. */
  again?: boolean;
}

export const Failed = ({ what, error, again = true }: Failure) => (
  <Empty title={`${what}: no answer`}>
    {error.detail}
    {error.errors.map(({ field, message }) => ` ${field}: ${message}`).join(";")}
    {again && mayPass(error) ? " It is asked again every 5 s." : ""}
    {error.requestId ? ` The failed request is ${error.requestId}.` : ""}
  </Empty>
);
