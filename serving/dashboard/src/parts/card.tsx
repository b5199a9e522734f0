/** A part of a page under a heading of its own; `Grid` lays cards out, in one column or two. */
import { type ReactNode, useId } from "react";

interface Props {
  title: ReactNode;
  /** At the right of the heading: a link, a unit, a switch. */
  aside?: ReactNode;
  /** Takes the whole row of a grid. */
  wide?: boolean;
  className?: string;
  /** What a link on the same page leads to. */
  anchor?: string;
  children: ReactNode;
}

export function Card({ title, aside, wide = false, className = "", anchor, children }: Props) {
  const id = useId();
  return (
    <section id={anchor} className={`card ${wide ? "wide" : ""} ${className}`} aria-labelledby={id}>
      <header className="card-head">
        <h2 id={id}>{title}</h2>
        {aside && <div className="aside">{aside}</div>}
      </header>
      {children}
    </section>
  );
}

export const Grid = ({ children }: { children: ReactNode }) => <div className="grid">{children}</div>;
