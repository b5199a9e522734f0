/** What follows from a person's change, step by step: done, waiting or failed, each with its detail. */
export interface Step {
  title: string;
  state: "done" | "waiting" | "failed";
  detail: string;
}

export const Steps = ({ steps }: { steps: readonly Step[] }) => (
  <ol className="steps">
    {steps.map(({ title, state, detail }) => (
      <li key={title} className={state}>
        <strong>{title}</strong>{" "}
        <span className="note">
          {state}
          {detail && `: ${detail}`}
        </span>
      </li>
    ))}
  </ol>
);

/** What the button says that closes it. */
export const leave = (steps: readonly Step[]): string => (steps.some(({ state }) => state === "waiting") ? "Leave it to itself" : "Close");
