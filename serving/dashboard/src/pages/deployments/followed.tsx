/** A change on its way: from "it answers here" until every replica has it and the graph has published it. */
import type { Schemas } from "../../api/client";
import { useSelections } from "../../api/queries";
import { Button } from "../../parts/button";
import { Loaded } from "../../parts/loaded";
import { progress } from "./progress";

export function Followed({ answer, onDone }: { answer: Schemas["SelectionAnswer"]; onDone: () => void }) {
  const selections = useSelections({}, 3_000);
  return (
    <div className="followed">
      <p>
        <strong>It is done here.</strong> {Object.entries(answer.after).map(([family, version]) => `${family} answers by ${version}`).join(", ")}.
      </p>
      <Loaded query={selections} what="Its state">
        {(told) => {
          const steps = progress(answer, told);
          return (
            <>
              <ol className="steps">
                {steps.map(({ title, state, detail }) => (
                  <li key={title} className={state}>
                    <strong>{title}</strong>{" "}
                    <span className="note">
                      {{ done: "done", waiting: "waiting", failed: "failed" }[state]}
                      {detail && `: ${detail}`}
                    </span>
                  </li>
                ))}
              </ol>
              <Button onClick={onDone}>{steps.some(({ state }) => state === "waiting") ? "Leave it to itself" : "Close"}</Button>
            </>
          );
        }}
      </Loaded>
    </div>
  );
}
