/** A button; while `busy` it keeps its place and cannot be pressed twice. */
import type { ButtonHTMLAttributes } from "react";

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: "primary" | "plain" | "quiet" | "danger";
  busy?: boolean;
}

export const Button = ({ kind = "plain", busy = false, className = "", disabled, children, ...rest }: Props) => (
  <button type="button" className={`button ${kind} ${className}`} disabled={disabled || busy} aria-busy={busy || undefined} {...rest}>
    {children}
  </button>
);
