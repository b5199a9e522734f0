/** A button; while `busy` it keeps its place and the focus, and cannot be pressed twice. */
import type { ButtonHTMLAttributes, MouseEvent } from "react";

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: "primary" | "plain" | "quiet" | "danger";
  busy?: boolean;
}

export const Button = ({ kind = "plain", busy = false, className = "", onClick, children, ...rest }: Props) => (
  <button
    type="button"
    className={`button ${kind} ${className}`}
    aria-busy={busy || undefined}
    aria-disabled={busy || undefined}
    // A disabled button loses the focus. Enter in a form clicks its button, so this stops that too.
    onClick={busy ? (event: MouseEvent) => event.preventDefault() : onClick}
    {...rest}
  >
    {children}
  </button>
);
