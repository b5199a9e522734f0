/** A page that breaks leaves the others alone, and says what to do. */
import { Component, type ReactNode } from "react";
import { Button } from "../parts/button";
import { Empty } from "../parts/empty";

interface State {
  fault: Error | null;
}

export class Boundary extends Component<{ children: ReactNode }, State> {
  override state: State = { fault: null };

  static getDerivedStateFromError(fault: Error): State {
    return { fault };
  }

  override render() {
    if (!this.state.fault) return this.props.children;
    return (
      <div role="alert">
        <Empty title="This page broke">
          {this.state.fault.message}. A newer build of the pages may be there: load them again.
        </Empty>
        <Button kind="primary" onClick={() => window.location.reload()}>
          Load again
        </Button>
      </div>
    );
  }
}
