/** The card of one version: what it was made from, how good it is, what it costs, which files it has. */
import { Link, useParams } from "wouter";
import type { PageProps } from "..";
import type { Schemas } from "../../api/client";
import { useCard } from "../../api/queries";
import { Calibration, IntervalChart, Matrix } from "../../charts";
import { Badge } from "../../parts/badge";
import { Card, Grid } from "../../parts/card";
import { Empty } from "../../parts/empty";
import { bytes, counted, milliseconds, number, words } from "../../parts/format";
import { Loaded } from "../../parts/loaded";
import { Page } from "../../parts/page";
import { RunLink } from "../../parts/run-link";
import { Table } from "../../parts/table";
import { Time } from "../../parts/time";
import { MovedTerms } from "./moved-terms";

export default function Version({ question }: PageProps) {
  const { version = "" } = useParams<{ version: string }>();
  const card = useCard(version);
  return (
    <Page
      title={version}
      question={question}
      controls={
        <Link className="button plain" href="/app/models">
          All versions
        </Link>
      }
    >
      {(card.error?.status === 404 || card.error?.status === 400) && card.data === undefined ? (
        <Empty title={`There is no version ${version}`}>It was never registered here.</Empty>
      ) : (
        <Loaded query={card} what="The card">
          {(shown) => <Shown card={shown} />}
        </Loaded>
      )}
    </Page>
  );
}

function Shown({ card }: { card: Schemas["ModelCard"] }) {
  const { figures, training_set: set } = card;
  return (
    <Grid>
      <div className="stack">
      <Card title="What it is" aside={card.live && <Badge tone="good">live</Badge>}>
        <dl className="facts">
          <Fact name="Family">{card.family}</Fact>
          <Fact name="Made">
            <Time at={card.created_at} /> by <RunLink id={card.run_id} />
          </Fact>
          <Fact name="From">{card.base_model}</Fact>
          <Fact name="Learned from">
            {set.examples == null ? "a training set that is not in this database" : counted(set.examples, "text")}
            {set.stories != null && `, ${counted(set.stories, "story", "stories")}`}
            {set.label_sets.length > 0 && ` of ${set.label_sets.join(", ")}`}
          </Fact>
          <Fact name="Reads features">
            {card.feature_schema.features.length} of schema {card.feature_schema.name}
          </Fact>
          <Fact name="Licences">{card.licences.join("; ")}</Fact>
          <Fact name="Manifest">
            <code className="digest" title={card.manifest_digest}>
              {card.manifest_digest.slice(0, 16)}
            </code>
          </Fact>
        </dl>
        {figures?.warning && <p className="band warning">{figures.warning}</p>}
      </Card>
      {figures?.technical && <Costs technical={figures.technical} />}
      </div>
      <Card title="How good it is" aside={<span className="note">95 % intervals, on its own holdout</span>}>
        <IntervalChart
          title="Metrics"
          summary={card.metrics.map(({ title, value }) => `${words(title)} ${number(value, 3)}`).join(", ")}
          intervals={card.metrics.map(({ title, value, low, high, n, dataset }) => ({ name: words(title), value, low, high, note: `${number(n)} texts, ${dataset}` }))}
          format={(value) => number(value, 3)}
        />
        {figures?.folds && <p className="note">Beside its holdout: {figures.folds}</p>}
      </Card>
      {figures && figures.confusion.length > 0 && (
        <Card title="What it mistakes for what">
          <Matrix title="Texts of the holdout by true label and by answer" names={card.labels} counts={figures.confusion} />
        </Card>
      )}
      {figures && figures.reliability.length > 0 && (
        <Card title="Is its confidence right?" aside={figures.ece != null && `ECE ${number(figures.ece, 3)}`}>
          <Calibration
            title="How often a confidence was right"
            summary={`Calibration error ${number(figures.ece, 3)}`}
            curves={[{ name: card.version, bins: figures.reliability }]}
          />
        </Card>
      )}
      {figures?.terms_moved && (
        <Card title="Terms that moved" wide>
          <MovedTerms moved={figures.terms_moved} />
        </Card>
      )}
      <Card title="Files" wide>
        <Table
          caption="Files of the release"
          columns={[
            { key: "name", title: "File", heading: true, cell: ({ name }) => <code>{name}</code> },
            { key: "size", title: "Size", numeric: true, cell: ({ size_bytes: size }) => bytes(size) },
            { key: "served", title: "Read by", cell: ({ served }) => (served ? "serving" : "later training") },
            { key: "sha256", title: "SHA-256", cell: ({ sha256 }) => <code className="digest">{sha256}</code> },
          ]}
          rows={card.files}
          rowKey={({ name }) => name}
        />
      </Card>
    </Grid>
  );
}

const Costs = ({ technical }: { technical: NonNullable<NonNullable<Schemas["ModelCard"]["figures"]>["technical"]> }) => (
  <Card title="What it costs">
    <dl className="facts">
      <Fact name="A text takes">
        {milliseconds(technical.latency_p50_ms)}, 95 % within {milliseconds(technical.latency_p95_ms)}
      </Fact>
      <Fact name="In batches">{number(technical.texts_per_s)} texts a second</Fact>
      <Fact name="Memory">{number(technical.loaded_mb)} MB more when loaded</Fact>
      <Fact name="Measured on">
        one thread of {technical.processor}, {counted(technical.n_texts, "text")}
      </Fact>
    </dl>
  </Card>
);

const Fact = ({ name, children }: { name: string; children: React.ReactNode }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);
