/** State of a page that lives in its address: what a link shares, and what Back brings back. */
import { useCallback } from "react";
import { useSearchParams } from "wouter";

/** The value of a parameter and how to change it; null takes it out. A change replaces the entry of the history unless `push`. */
export function useParam(name: string, { push = false } = {}): [string | null, (value: string | null) => void] {
  const [params, setParams] = useSearchParams();
  const set = useCallback(
    (value: string | null) =>
      setParams(
        (before) => {
          const after = new URLSearchParams(before);
          if (value === null || value === "") after.delete(name);
          else after.set(name, value);
          return after;
        },
        { replace: !push },
      ),
    [name, push, setParams],
  );
  return [params.get(name), set];
}

/** A parameter with a few known values; anything else counts as the first of them, which is left out of the address. */
export function useChoice<Value extends string>(name: string, values: readonly [Value, ...Value[]]): [Value, (value: Value) => void] {
  const [given, set] = useParam(name);
  const value = values.find((known) => known === given) ?? values[0];
  return [value, (chosen) => set(chosen === values[0] ? null : chosen)];
}
