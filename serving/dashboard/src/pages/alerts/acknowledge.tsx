/** A person says that they know of an alert. Dry run first, then for good, then followed until every replica tells it. */
import { type FormEvent, useEffect, useRef, useState } from "react";
import type { Schemas } from "../../api/client";
import { useAcknowledge } from "../../api/mutations";
import { Button } from "../../parts/button";
import { Field } from "../../parts/field";
import { Refusal } from "../../parts/refusal";
import { useKey } from "../../shell/key";
import { KeyField } from "../../shell/key-field";

type Incident = Schemas["IncidentShown"];

export function Acknowledge({ incident }: { incident: Incident }) {
  const [asked, setAsked] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const closed = useRef(false);
  // Whoever leaves the form by keyboard goes on where it was opened.
  useEffect(() => {
    if (!asked && closed.current) opener.current?.focus();
    closed.current = asked;
  }, [asked]);
  return asked ? (
    <Form incident={incident} onDone={() => setAsked(false)} />
  ) : (
    <p>
      <button type="button" className="button plain" ref={opener} onClick={() => setAsked(true)} aria-label={`Acknowledge: ${incident.summary}`}>
        {incident.acknowledgement ? "Acknowledge it anew" : "Acknowledge"}
      </button>
    </p>
  );
}

function Form({ incident, onDone }: { incident: Incident; onDone: () => void }) {
  const key = useKey();
  const [note, setNote] = useState("");
  const acknowledge = useAcknowledge();
  const { data: answer, reset } = acknowledge;
  const tried = answer?.dry_run === true;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    acknowledge.mutate({ id: incident.id, key, body: { note: note.trim() || null, dry_run: !tried } });
  };
  if (answer && !answer.dry_run) return <Followed answer={answer} shown={incident} onDone={onDone} />;
  return (
    <form className="change" aria-label="Acknowledge this alert" onSubmit={submit}>
      <Field
        label="Note"
        hint="What others should know, such as who looks at it. It may be left empty."
        value={note}
        maxLength={1000}
        autoFocus
        onChange={(event) => { setNote(event.target.value); reset(); }}
      />
      <KeyField role="operator" onChange={reset} />
      <div className="buttons">
        <Button type="submit" kind="primary" busy={acknowledge.isPending} disabled={key === ""}>
          {acknowledge.isPending ? "Asking…" : tried ? "Do it" : "Try it first, changing nothing"}
        </Button>
        <Button kind="quiet" onClick={onDone}>Cancel</Button>
        {key === "" && <span className="note">A key is needed.</span>}
      </div>
      <div aria-live="polite">
        {tried && <Preview answer={answer} />}
        {acknowledge.isError && <Refusal error={acknowledge.error} />}
      </div>
    </form>
  );
}

const Preview = ({ answer: { changed, incident } }: { answer: Schemas["AcknowledgementAnswer"] }) => (
  <div className="band">
    <p>
      <strong>{changed ? "It would work." : "It would change nothing."}</strong>{" "}
      {changed ? `${incident.acknowledgement?.by ?? ""} would stand beside it.` : "You said the same before."} It stays open until its cause is gone;
      nobody is reminded of it, unless it gets worse.
    </p>
  </div>
);

/** The database has it, and every replica reads alerts there: it is done once an answer to anybody's question shows it. */
function Followed({ answer, shown, onDone }: { answer: Schemas["AcknowledgementAnswer"]; shown: Incident; onDone: () => void }) {
  const at = (incident: Incident) => Date.parse(incident.acknowledgement?.at ?? "");
  const told = at(shown) >= at(answer.incident);
  return (
    <div className="followed" role="status">
      <p>
        <strong>{answer.changed ? "It is acknowledged." : "It was acknowledged so before."}</strong>{" "}
        {told ? "The database has it, and every replica reads it there." : "Waiting until the list of alerts shows it…"}
      </p>
      <Button autoFocus onClick={onDone}>Close</Button>
    </div>
  );
}
