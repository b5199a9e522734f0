/** A person's word on one answer: right, or which label would have been. Pages send no key, so it is counted and teaches nothing. */
import { useFeedback } from "../../api/mutations";
import { Button } from "../../parts/button";
import { type Label, LABELS } from "../../parts/sentiment";

export function Feedback({ id, label }: { id: string; label: Label }) {
  const feedback = useFeedback();
  const say = (said: Label) => feedback.mutate({ prediction_id: id, label: said });
  if (feedback.isSuccess) {
    const said = feedback.variables.label;
    return (
      <p className="feedback" role="status">
        Thank you. It is counted that this text is <strong>{said}</strong>; models learn from feedback with an API key alone.
      </p>
    );
  }
  return (
    <div className="feedback" role="group" aria-label="Was it right?">
      <span>Was it right?</span>
      <Button busy={feedback.isPending} onClick={() => say(label)}>
        <span aria-hidden="true">✓</span> Right
      </Button>
      {LABELS.filter((other) => other !== label).map((other) => (
        <Button key={other} busy={feedback.isPending} onClick={() => say(other)}>
          It is {other}
        </Button>
      ))}
      {feedback.isError && (
        <p className="fault" role="alert">
          It was not noted. {feedback.error.detail}
        </p>
      )}
    </div>
  );
}
