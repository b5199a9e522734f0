/** A value that is not there: a dash, and why, for the pointer and for screen readers. */
import { NOTHING } from "./format";

export const None = ({ why }: { why: string }) => (
  <span className="none" title={why}>
    <span aria-hidden="true">{NOTHING}</span>
    <span className="unseen">none: {why}</span>
  </span>
);
