/** Every deployment, newest first, drawn as a timeline and told one by one; the address names the one that is open. */
import { useEffect, useRef } from "react";
import { Link } from "wouter";
import type { Schemas } from "../../api/client";
import { Timeline } from "../../charts";
import { Badge, type Tone } from "../../parts/badge";
import { number, signed } from "../../parts/format";
import { RunLink } from "../../parts/run-link";
import { Table } from "../../parts/table";
import { Time } from "../../parts/time";
import { useParam } from "../../parts/url";
import { spans } from "./spans";

type Deployment = Schemas["DeploymentShown"];
const TONES: Record<Deployment["rule"], Tone> = { gate: "good", bootstrap: "plain", manual: "warning", rollback: "critical" };

interface Props {
  deployments: readonly Deployment[];
  families: Schemas["ModelsStatus"]["families"];
  asOf: string;
}

export function History({ deployments, families, asOf }: Props) {
  const [open, setOpen] = useParam("revision");
  return (
    <>
      <Timeline
        title="Which version answered when, by family"
        summary={`${deployments.length} deployments; the newest is ${deployments[0]?.tag ?? "none"}`}
        spans={spans(deployments, families).map((span, index) => ({ ...span, series: (index % 4) + 1 }))}
        until={asOf}
      />
      <ol className="history">
        {deployments.map((deployment) => (
          <Told
            key={deployment.revision}
            deployment={deployment}
            open={String(deployment.revision) === open}
            onToggle={(now) => {
              if (now) setOpen(String(deployment.revision));
              else if (String(deployment.revision) === open) setOpen(null);
            }}
          />
        ))}
      </ol>
    </>
  );
}

function Told({ deployment, open, onToggle }: { deployment: Deployment; open: boolean; onToggle: (open: boolean) => void }) {
  const item = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (open) item.current?.scrollIntoView({ block: "nearest" });
  }, [open]);
  const { champions, evidence } = deployment;
  const pairs = Object.entries(evidence.figures).flatMap(([pair, figures]) => (figures != null && typeof figures === "object" ? [{ pair, figures }] : []));
  return (
    <li ref={item}>
      <details open={open} onToggle={(event) => onToggle(event.currentTarget.open)}>
        <summary>
          <strong>{deployment.tag}</strong> <Badge tone={TONES[deployment.rule]}>{deployment.rule}</Badge> <Time at={deployment.published_at} />, by{" "}
          {deployment.actor}: {deployment.reason}
        </summary>
        <dl className="facts">
          {Object.entries(champions).map(([family, { version }]) => (
            <div key={family}>
              <dt>{family}</dt>
              <dd>
                <Link href={`/app/models/${version}`}>{version}</Link> {family === deployment.default_family && <Badge tone="accent">answers /predict</Badge>}
              </dd>
            </div>
          ))}
          <div>
            <dt>Follows</dt>
            <dd>{deployment.previous_revision == null ? "nothing: it is the first" : `deploy ${deployment.previous_revision}`}</dd>
          </div>
          {evidence.run_ids.length > 0 && (
            <div>
              <dt>Rests on</dt>
              <dd>
                {evidence.run_ids.map((id) => (
                  <RunLink key={id} id={id} />
                ))}
              </dd>
            </div>
          )}
          <div>
            <dt>Document</dt>
            <dd>
              <code className="digest">{deployment.digest.slice(0, 16)}</code>
            </dd>
          </div>
        </dl>
        {(pairs.length === 0 || deployment.rule === "manual" || deployment.rule === "rollback") && <p>{evidence.verdict}</p>}
        {pairs.length > 0 && (
          <Table
            caption={`Evidence of ${deployment.tag}`}
            columns={[
              { key: "pair", title: "Pair", heading: true, cell: ({ pair }) => pair },
              { key: "verdict", title: "Verdict", cell: ({ figures }) => String(figures["verdict"] ?? "-") },
              { key: "f1", title: "Macro-F1", numeric: true, cell: ({ figures }) => signed(figure(figures["macro_f1"]), 3) },
              { key: "p", title: "p", numeric: true, cell: ({ figures }) => small(figure(figures["p"])) },
              { key: "n", title: "Texts", numeric: true, cell: ({ figures }) => number(figure(figures["n"])) },
            ]}
            rows={pairs}
            rowKey={({ pair }) => pair}
          />
        )}
      </details>
    </li>
  );
}

const figure = (value: unknown): number | null => (typeof value === "number" ? value : null);
const small = (p: number | null): string => (p != null && p < 0.001 ? "< 0.001" : number(p, 3));
