/** State of a page that lives in its address: what a link shares, and what Back brings back. */
import { useCallback } from "react";
import { useSearchParams } from "wouter";

/** Changes several parameters at once; null takes one out. A change replaces the entry of the history unless `push`. */
export function useSetParams({ push = false } = {}): (values: Readonly<Record<string, string | null>>) => void {
  const [, setParams] = useSearchParams();
  return useCallback(
    (values) =>
      setParams(
        // Not what this hook saw last: another one may have changed the address since.
        () => {
          const after = new URLSearchParams(window.location.search);
          for (const [name, value] of Object.entries(values)) {
            if (value == null || value === "") after.delete(name);
            else after.set(name, value);
          }
          return after;
        },
        { replace: !push },
      ),
    [push, setParams],
  );
}

/** The value of a parameter, and how to change it. */
export function useParam(name: string, { push = false } = {}): [string | null, (value: string | null) => void] {
  const [params] = useSearchParams();
  const setParams = useSetParams({ push });
  return [params.get(name), useCallback((value) => setParams({ [name]: value }), [name, setParams])];
}

/** A parameter with a few known values; anything else counts as the first of them, which is left out of the address. */
export function useChoice<Value extends string>(name: string, values: readonly [Value, ...Value[]]): [Value, (value: Value) => void] {
  const [given, set] = useParam(name);
  const value = values.find((known) => known === given) ?? values[0];
  return [value, (chosen) => set(chosen === values[0] ? null : chosen)];
}
