/** A part of a page that cannot draw an answer says so, and leaves its neighbours alone: an API of another release may leave out what it needs. */
import { Component, type ReactNode } from "react";
import { Empty } from "./empty";

interface Props {
  what: string;
  body: unknown;
  draw: () => ReactNode;
}

interface State {
  body: unknown;
  broken: boolean;
}

export class Contained extends Component<Props, State> {
  override state: State = { body: undefined, broken: false };

  static getDerivedStateFromError(): Partial<State> {
    return { broken: true };
  }

  /** The next answer is tried again. */
  static getDerivedStateFromProps({ body }: Props, state: State): Partial<State> | null {
    return body === state.body ? null : { body, broken: false };
  }

  override render() {
    const { what, draw } = this.props;
    if (!this.state.broken) return <Drawn draw={draw} />;
    return (
      <Empty title={`${what}: the answer cannot be shown`}>
        The API answers in a form that these pages do not know, so it is of another release. Load the page again; if this stays, release serving, then build
        the dashboard again.
      </Empty>
    );
  }
}

/** Draws inside of the boundary, not beside it. */
const Drawn = ({ draw }: { draw: () => ReactNode }) => <>{draw()}</>;
