/** Compare: do two versions differ on the same texts, by how much, where, and at which cost? */
import type { ReactNode } from "react";
import { Link } from "wouter";
import type { PageProps } from "../..";
import type { Schemas } from "../../../api/client";
import { useCard, useExperiments, useVersions } from "../../../api/queries";
import { Calibration, Matrix } from "../../../charts";
import { Card, Grid } from "../../../parts/card";
import { Empty } from "../../../parts/empty";
import { Select } from "../../../parts/field";
import { bytes, milliseconds, number } from "../../../parts/format";
import { Loaded } from "../../../parts/loaded";
import { Measured, metricOf } from "../../../parts/measured";
import { None } from "../../../parts/none";
import { Page } from "../../../parts/page";
import { useParam, useSetParams } from "../../../parts/url";
import { MovedTerms } from "../moved-terms";
import { Verdict } from "./verdict";
import { WhereTheyDiffer } from "./where-they-differ";

export default function Compare({ title, question }: PageProps) {
  const [givenA] = useParam("a");
  const [givenB] = useParam("b");
  const setParams = useSetParams();
  // Who comes without a choice sees the newest comparison.
  const newest = useExperiments({ limit: 1 }).data?.comparisons[0];
  const nobodyChose = givenA == null && givenB == null;
  const [a, b] = nobodyChose && newest ? [newest.challenger, newest.champion] : [givenA, givenB];
  const choose = (left: string | null, right: string | null) => setParams({ a: left, b: right });
  const versions = useVersions({ limit: 100 });
  const names = versions.data?.versions.map(({ version }) => version) ?? [];
  const choice = (label: string, value: string | null, set: (name: string | null) => void, other: string | null) => (
    <Select label={label} value={value ?? ""} onChange={(event) => set(event.target.value || null)}>
      <option value="">Choose…</option>
      {names
        .filter((name) => name !== other)
        .map((name) => (
          <option key={name}>{name}</option>
        ))}
    </Select>
  );
  return (
    <Page
      title={title}
      question={question}
      controls={
        <div className="row">
          {choice("Version", a, (name) => choose(name, b), b)}
          {choice("Against", b, (name) => choose(a, name), a)}
        </div>
      }
    >
      <Loaded query={versions} what="The versions">
        {({ versions: rows }) =>
          a && b ? (
            <Pair a={a} b={b} />
          ) : rows.length < 2 ? (
            <Empty title="There are no two versions yet" command="sentiment-platform run bootstrap_job">
              This publishes the starters that the platform ships:
            </Empty>
          ) : (
            <Empty title="Choose two versions">
              Above, or tick two on the <Link href="/app/models">page of all versions</Link>.
            </Empty>
          )
        }
      </Loaded>
    </Page>
  );
}

function Pair({ a, b }: { a: string; b: string }) {
  const pair = useExperiments({ version: a, other: b, limit: 1 });
  const [left, right] = [useCard(a), useCard(b)];
  return (
    <>
      <Loaded query={pair} what="The comparison">
        {({ comparisons }) =>
          comparisons[0] ? (
            <Verdict comparison={comparisons[0]} />
          ) : (
            <Card title="Not compared yet">
              <Empty title="These two were never asked on the same texts" command="sentiment-platform run train_job">
                Training compares what it makes with what is deployed. The figures below are each on its own holdout: they cannot be held against
                each other.
              </Empty>
            </Card>
          )
        }
      </Loaded>
      <Grid>
        {pair.data?.comparisons[0]?.figures?.disagreement && <WhereTheyDiffer comparison={pair.data.comparisons[0]} />}
        {left.data && right.data && <SideBySide cards={[left.data, right.data]} />}
        {[left, right].map((card, index) => (
          <Loaded key={index === 0 ? a : b} query={card} what={index === 0 ? a : b}>
            {(shown) => <Pictures card={shown} />}
          </Loaded>
        ))}
        {[left.data, right.data].map(
          (card) =>
            card?.figures?.terms_moved && (
              <Card key={card.version} title={`Terms that moved in ${card.version}`} wide>
                <MovedTerms moved={card.figures.terms_moved} />
              </Card>
            ),
        )}
      </Grid>
    </>
  );
}

function Pictures({ card }: { card: Schemas["ModelCard"] }) {
  const { figures } = card;
  return (
    <Card title={card.version} aside={<span className="note">on its own holdout</span>}>
      {figures && figures.confusion.length > 0 ? (
        <Matrix title="Texts by true label and by answer" names={card.labels} counts={figures.confusion} />
      ) : (
        <None why="no matrix was measured" />
      )}
      {figures && figures.reliability.length > 0 && <Calibrated card={card} />}
    </Card>
  );
}

const Calibrated = ({ card }: { card: Schemas["ModelCard"] }) => (
  <Calibration
    title="How often a confidence was right"
    summary={`${card.version}: calibration error ${number(card.figures?.ece, 3)}`}
    curves={[{ name: card.version, bins: card.figures?.reliability ?? [] }]}
  />
);

const ROWS: readonly { name: string; of: (card: Schemas["ModelCard"]) => ReactNode }[] = [
  { name: "Macro-F1", of: ({ metrics }) => <Measured metric={metricOf(metrics, "macro_f1")} /> },
  { name: "Accuracy", of: ({ metrics }) => <Measured metric={metricOf(metrics, "accuracy")} /> },
  { name: "Brier score", of: ({ metrics }) => <Measured metric={metricOf(metrics, "brier")} /> },
  { name: "Calibration error (ECE)", of: ({ figures }) => number(figures?.ece, 3) },
  { name: "A text takes", of: ({ figures }) => milliseconds(figures?.technical?.latency_p50_ms) },
  { name: "95 % within", of: ({ figures }) => milliseconds(figures?.technical?.latency_p95_ms) },
  { name: "Texts a second", of: ({ figures }) => number(figures?.technical?.texts_per_s) },
  { name: "Memory when loaded", of: ({ figures }) => (figures?.technical ? `${number(figures.technical.loaded_mb)} MB` : "-") },
  { name: "Files that serving loads", of: ({ files }) => bytes(files.filter(({ served }) => served).reduce((sum, { size_bytes: size }) => sum + size, 0)) },
  { name: "Learned from", of: ({ training_set: set }) => `${set.label_sets.join(", ") || "no named set"} (${set.digest.slice(0, 8)})` },
];

const SideBySide = ({ cards }: { cards: readonly Schemas["ModelCard"][] }) => (
  <Card title="Size, speed, quality" aside={<span className="note">quality on its own holdout each</span>}>
    <div className="table-scroll" role="region" aria-label="Both versions side by side" tabIndex={0}>
      <table className="table">
        <caption className="unseen">Both versions side by side</caption>
        <thead>
          <tr>
            <td />
            {cards.map(({ version }) => (
              <th key={version} scope="col" className="numeric">
                <Link href={`/app/models/${version}`}>{version}</Link>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {ROWS.map(({ name, of }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {cards.map((card) => (
                <td key={card.version} className="numeric">
                  {of(card)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  </Card>
);
