/** Nothing to show: what is missing, why, and what gets it. Never a picture of invented data. */
import type { ReactNode } from "react";

interface Props {
  title: string;
  children?: ReactNode;
  /** The command line that gets what is missing. */
  command?: string;
}

export const Empty = ({ title, children, command }: Props) => (
  <div className="empty">
    <p className="title">{title}</p>
    {children && <p>{children}</p>}
    {command && (
      <p>
        <code>{command}</code>
      </p>
    )}
  </div>
);
