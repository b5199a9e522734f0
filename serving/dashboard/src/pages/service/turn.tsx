/** A person turns a switch. Dry run first, then for good, then followed until every replica that answered since has it. */
import { type FormEvent, useEffect, useState } from "react";
import type { Schemas } from "../../api/client";
import { useTurn } from "../../api/mutations";
import { useFlags, useSelections } from "../../api/queries";
import { Button } from "../../parts/button";
import { Field } from "../../parts/field";
import { Loaded } from "../../parts/loaded";
import { Refusal } from "../../parts/refusal";
import { leave, Steps } from "../../parts/steps";
import { useKey } from "../../shell/key";
import { KeyField } from "../../shell/key-field";
import { meaning, switched } from "./switched";

interface Props {
  flag: Schemas["FlagShown"];
  onDone: () => void;
}

export function Turn({ flag: shown, onDone }: Props) {
  const key = useKey();
  const [reason, setReason] = useState("");
  // As it was shown when it was opened: what is turned meanwhile by another is refused, not turned back.
  const [flag] = useState(shown);
  const turn = useTurn();
  const { data: answer, variables } = turn;
  const tried = answer !== undefined && variables?.body.dry_run === true;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    turn.mutate({ name: flag.name, key, body: { enabled: !flag.enabled, reason, expected: flag.enabled, dry_run: !tried } });
  };
  if (answer && !tried) return <Followed turned={answer} onDone={onDone} />;
  const ready = key !== "" && reason.trim().length >= 3;
  return (
    <form className="change" aria-label={`Turn ${flag.name} ${flag.enabled ? "off" : "on"}`} onSubmit={submit}>
      <Field label="Why" hint="It stays in the audit trail." value={reason} maxLength={1000} autoFocus onChange={(event) => { setReason(event.target.value); turn.reset(); }} />
      <KeyField role="operator" onChange={turn.reset} />
      <div className="buttons">
        <Button type="submit" kind={tried ? "danger" : "primary"} busy={turn.isPending} disabled={!ready}>
          {turn.isPending ? "Asking…" : tried ? "Do it" : "Try it first, changing nothing"}
        </Button>
        <Button kind="quiet" onClick={onDone}>Cancel</Button>
        {!ready && <span className="note">{key === "" ? "A key is needed." : "Say why, in three characters or more."}</span>}
      </div>
      <div aria-live="polite">
        {tried && <Preview flag={answer} />}
        {turn.isError && <Refusal error={turn.error} />}
      </div>
    </form>
  );
}

const Preview = ({ flag }: { flag: Schemas["FlagShown"] }) => {
  const { on, off } = meaning(flag.allows);
  return (
    <div className="band">
      <p>
        <strong>It would work.</strong> {flag.name} would be {flag.enabled ? "on" : "off"}, for every process within 2 s and without a restart: {flag.enabled ? on : off}
      </p>
    </div>
  );
};

function Followed({ turned, onDone }: { turned: Schemas["FlagShown"]; onDone: () => void }) {
  const flags = useFlags(1_000);
  const selections = useSelections({}, 3_000);
  const [since] = useState(Date.now);
  const [seen, setSeen] = useState<ReadonlyMap<string, boolean>>(new Map());
  const { data: told, dataUpdatedAt: at } = flags;
  // Each answer is of one replica: behind a load balancer another one answers next.
  useEffect(() => {
    const here = told?.here[turned.name];
    if (told && here !== undefined && at >= since) setSeen((before) => new Map(before).set(told.replica, here));
  }, [told, at, since, turned.name]);
  const changed = Date.parse(turned.changed_at ?? "");
  const answered = new Set(selections.data?.replicas.filter(({ answered_at: then }) => Date.parse(then) >= changed).map(({ replica }) => replica));
  return (
    <div className="followed">
      <p>
        <strong>{turned.name} is {turned.enabled ? "on" : "off"}.</strong>
      </p>
      <Loaded query={flags} what="Its state">
        {(now) => {
          const steps = switched(turned, now, seen, answered, Math.max(0, at - since));
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
