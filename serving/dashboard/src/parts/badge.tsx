/** A word that stands out. Colour is never the only sign: the word says it too. */
import type { ReactNode } from "react";

export type Tone = "plain" | "accent" | "good" | "warning" | "critical";

export const Badge = ({ tone = "plain", title, children }: { tone?: Tone; title?: string; children: ReactNode }) => (
  <span className={`badge ${tone}`} title={title}>
    {children}
  </span>
);
