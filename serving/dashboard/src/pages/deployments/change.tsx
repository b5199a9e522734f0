/** A person's change: back to the deployment before, a version that was deployed, or the first deployment of one. Dry run first, then for good. */
import { type FormEvent, useState } from "react";
import type { Schemas } from "../../api/client";
import { usePromote, useRollback, useSelectVersion } from "../../api/mutations";
import { useVersions } from "../../api/queries";
import { Button } from "../../parts/button";
import { Field, Select } from "../../parts/field";
import { Refusal } from "../../parts/refusal";
import { useKey } from "../../shell/key";
import { KeyField } from "../../shell/key-field";
import { ExchangedPairs } from "./exchanged-pairs";
import { Followed } from "./followed";

type Chosen = { what: "rollback" } | { what: "select" | "promote"; version: string; family: string };

export function Change({ status }: { status: Schemas["ModelsStatus"] }) {
  const key = useKey();
  const versions = useVersions({ limit: 100 });
  // Kept as it was chosen: a promotion stays one while it is followed, also when a deployment names its version.
  const [chosen, setChosen] = useState<Chosen>({ what: "rollback" });
  const [reason, setReason] = useState("");
  const [makeDefault, setMakeDefault] = useState(false);
  const select = useSelectVersion();
  const promote = usePromote();
  const rollback = useRollback();
  const registered = versions.data?.versions ?? [];
  const isPossible = status.rollback != null;
  const choose = (choice: string) => {
    const picked = registered.find(({ version }) => version === choice);
    setMakeDefault(picked?.live === true);
    setChosen(picked ? { what: picked.last_revision == null ? "promote" : "select", version: picked.version, family: picked.family } : { what: "rollback" });
  };
  const asked = { select, promote, rollback }[chosen.what];
  // A dry run speaks of one choice with one reason: whatever changes makes it void.
  const forget = () => {
    select.reset();
    promote.reset();
    rollback.reset();
  };
  const send = (dryRun: boolean) => {
    // What is done for good leaves the deployment that the dry run spoke of, and no other.
    const revision = asked.data?.revision ?? status.deployment?.revision;
    const seen = revision ? { expected_revision: revision } : {};
    if (chosen.what === "rollback") {
      rollback.mutate({ key, body: { reason, dry_run: dryRun, ...seen } });
      return;
    }
    const live = status.families[chosen.family]?.version;
    const body = { version: chosen.version, reason, make_default: makeDefault, dry_run: dryRun, ...seen, ...(live ? { expected_version: live } : {}) };
    if (chosen.what === "promote") promote.mutate({ key, body });
    else select.mutate({ key, body: { ...body, family: chosen.family } });
  };
  const answer = asked.data;
  const tried = answer?.dry_run === true;
  const opposes = answer?.evidence.some(({ speaks_against: against }) => against) === true;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send(!tried);
  };
  if (answer && !answer.dry_run) {
    return <Followed answer={answer} atOnce={chosen.what !== "promote"} onDone={() => { forget(); setReason(""); }} />;
  }
  const impossible = chosen.what === "rollback" && !isPossible;
  const ready = key !== "" && reason.trim().length >= 3 && !impossible;
  return (
    <form className="change" onSubmit={submit}>
      <Select label="What" value={chosen.what === "rollback" ? "rollback" : chosen.version} onChange={(event) => { choose(event.target.value); forget(); }}>
        <option value="rollback" disabled={!isPossible}>
          Back to the deployment before{!isPossible && " (not possible now)"}
        </option>
        {registered.map(({ version, family, live, last_revision: revision }) => (
          <option key={version} value={version} disabled={live && family === status.default_family}>
            {version} {live ? "(live)" : revision == null ? "(promote: never deployed yet)" : `(was in deploy ${revision})`}
          </option>
        ))}
      </Select>
      {chosen.what !== "rollback" && chosen.family !== status.default_family && (
        <label className="field">
          <input type="checkbox" checked={makeDefault} onChange={(event) => { setMakeDefault(event.target.checked); forget(); }} />
          Let {chosen.family} answer where nobody names a family too; now {status.default_family ?? "nothing"} does
        </label>
      )}
      <Field label="Why" hint="It stays in the audit trail." value={reason} maxLength={1000} onChange={(event) => { setReason(event.target.value); forget(); }} />
      <KeyField role={chosen.what === "promote" ? "promoter" : "admin"} onChange={forget} />
      <div className="buttons">
        <Button type="submit" kind={tried ? "danger" : "primary"} busy={asked.isPending} disabled={!ready}>
          {asked.isPending ? "Asking…" : !tried ? "Try it first, changing nothing" : opposes ? "Do it against the evidence" : "Do it"}
        </Button>
        {!ready && (
          <span className="note">
            {impossible
              ? "A rollback answers already, or nothing is there to go back to: choose a version."
              : key === ""
                ? "A key is needed."
                : "Say why, in three characters or more."}
          </span>
        )}
      </div>
      <div aria-live="polite">
        {tried && <Preview answer={answer} atOnce={chosen.what !== "promote"} />}
        {asked.isError && <Refusal error={asked.error} />}
      </div>
    </form>
  );
}

const Preview = ({ answer, atOnce }: { answer: Schemas["SelectionAnswer"]; atOnce: boolean }) => (
  <div className="band">
    <p>
      <strong>It would work.</strong> The files were fetched, verified and tried. {atOnce ? "Then" : "Once the graph has signed and published it, without asking the gate,"} {answer.default_family} answers where nobody names a family:
    </p>
    <ul>
      {Object.entries(answer.after).map(([family, version]) => (
        <li key={family}>
          {family}: {answer.before[family] === version ? `${version}, as now` : `${answer.before[family] ?? "nothing"} → ${version}`}
        </li>
      ))}
    </ul>
    <p>It leaves deploy {answer.revision}. What the newest comparison says of it:</p>
    <ExchangedPairs pairs={answer.evidence} />
  </div>
);
