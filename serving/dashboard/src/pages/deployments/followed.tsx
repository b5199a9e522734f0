/** A change on its way: from "it answers here" (a promotion: "it is asked for") until every replica has it and the graph has published it. */
import type { Schemas } from "../../api/client";
import { useSelections } from "../../api/queries";
import { Button } from "../../parts/button";
import { Loaded } from "../../parts/loaded";
import { leave, Steps } from "../../parts/steps";
import { progress } from "./progress";

interface Props {
  answer: Schemas["SelectionAnswer"];
  atOnce: boolean;
  onDone: () => void;
}

export function Followed({ answer, atOnce, onDone }: Props) {
  const selections = useSelections({}, 3_000);
  return (
    <div className="followed">
      <p>
        <strong>{atOnce ? "It is done here." : "It is asked for."}</strong>{" "}
        {Object.entries(answer.after).map(([family, version]) => `${family} ${atOnce ? "answers" : "will answer"} by ${version}`).join(", ")}.
      </p>
      <Loaded query={selections} what="Its state">
        {(told) => {
          const steps = progress(answer, told, atOnce);
          return (
            <>
              <Steps steps={steps} />
              <Button autoFocus onClick={onDone}>{leave(steps)}</Button>
            </>
          );
        }}
      </Loaded>
    </div>
  );
}
