/** Who changed what, and when: for admins, asked with a key. */
import { type FormEvent, useState } from "react";
import { useAuditTrail } from "../../api/mutations";
import { Button } from "../../parts/button";
import { Empty } from "../../parts/empty";
import { Refusal } from "../../parts/refusal";
import { Table } from "../../parts/table";
import { Time } from "../../parts/time";
import { useKey } from "../../shell/key";
import { KeyField } from "../../shell/key-field";

export function AuditTrail() {
  const key = useKey();
  const trail = useAuditTrail();
  // The field comes when it is needed: the page has one already, and the tab keeps what was typed there.
  const [asked, setAsked] = useState(false);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (key === "") setAsked(true);
    else trail.mutate({ key });
  };
  return (
    <>
      <form className="change" aria-label="Show the audit trail" onSubmit={submit}>
        {asked && !trail.data && <KeyField role="admin" onChange={trail.reset} />}
        <div className="buttons">
          <Button type="submit" busy={trail.isPending}>
            {trail.isPending ? "Asking…" : trail.data ? "Ask again" : "Show who changed what"}
          </Button>
          {asked && key === "" && <span className="note">A key is needed.</span>}
        </div>
        <div aria-live="polite">{trail.isError && <Refusal error={trail.error} />}</div>
      </form>
      {trail.data &&
        (trail.data.entries.length === 0 ? (
          <Empty title="Nothing was changed yet" />
        ) : (
          <Table
            caption="The newest hundred acts"
            columns={[
              { key: "at", title: "When", cell: ({ at }) => <Time at={at} /> },
              { key: "actor", title: "Who", cell: ({ actor }) => actor },
              { key: "action", title: "Did", heading: true, cell: ({ action }) => action },
              { key: "subject", title: "To", className: "words", cell: ({ subject }) => subject },
              { key: "detail", title: "Before, after, why", className: "words", cell: ({ detail }) => <code className="digest">{JSON.stringify(detail)}</code> },
            ]}
            rows={trail.data.entries}
            rowKey={({ id }) => String(id)}
          />
        ))}
    </>
  );
}
