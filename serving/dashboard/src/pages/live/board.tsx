/** Of whom the news speaks: each symbol with its stories, what they say on the whole, and how that changed. */
import type { Schemas } from "../../api/client";
import { useStatus, useTickers } from "../../api/queries";
import { Button } from "../../parts/button";
import { Card } from "../../parts/card";
import { Empty } from "../../parts/empty";
import { number, signed } from "../../parts/format";
import { Loaded } from "../../parts/loaded";
import { None } from "../../parts/none";
import { LABELS, LabelWord, type Label, SentimentBar, Shares } from "../../parts/sentiment";
import { type Column, Table } from "../../parts/table";
import { Tabs } from "../../parts/tabs";
import { useChoice, useParam } from "../../parts/url";

type Ticker = Schemas["TickerNews"];
const MOST = 15;
const WINDOWS = [
  { value: "1", title: "24 h" },
  { value: "7", title: "7 days" },
  { value: "30", title: "30 days" },
] as const;

interface Props {
  symbol: string | null;
  onChoose: (symbol: string | null) => void;
}

export function Board({ symbol, onChoose }: Props) {
  const [days, setDays] = useChoice("days", ["7", "1", "30"]);
  const [family, setFamily] = useParam("family");
  const [all, setAll] = useParam("all");
  const tickers = useTickers({ days: Number(days), ...(family ? { family } : {}) });
  return (
    <Card
      title="Symbols"
      className="board"
      anchor="symbols"
      aside={<Tabs label="Window" values={WINDOWS} chosen={days} onChoose={setDays} />}
    >
      <Loaded query={tickers} what="The symbols">
        {(answer) =>
          answer.tickers.length === 0 ? (
            <Empty title="No news names a symbol in this window" command="sentiment-platform run collect_job">
              News comes with the next collection:
            </Empty>
          ) : (
            <>
              <Table
                caption={`Symbols in the news of ${days === "1" ? "24 hours" : `${days} days`}`}
                columns={columns(answer, days, symbol, onChoose)}
                rows={answer.tickers}
                rowKey={(row) => row.symbol}
                rowClass={(row) => (row.symbol === symbol ? "chosen" : "")}
                param="sort"
                order="-stories"
                most={all ? Infinity : MOST}
              />
              {answer.tickers.length > MOST && (
                <Button kind="quiet" onClick={() => setAll(all ? null : "symbols")}>
                  {all ? "Show fewer" : `Show all ${answer.tickers.length} symbols`}
                </Button>
              )}
              <p className="board-foot">
                <Scorer family={answer.family} onChoose={setFamily} />
                <span className="row">
                  {LABELS.map((label) => (
                    <LabelWord key={label} label={label} />
                  ))}
                </span>
              </p>
            </>
          )
        }
      </Loaded>
    </Card>
  );
}

/** By whose scores: the default's, or those of another family that is live. */
function Scorer({ family, onChoose }: { family: string | null; onChoose: (family: string | null) => void }) {
  const status = useStatus().data;
  const live = Object.entries(status?.families ?? {}).flatMap(([name, now]) => (now ? [name] : []));
  if (family == null) return <span>Nothing is deployed, so nothing scores.</span>;
  return (
    <span className="scorer">
      By the scores of{" "}
      {live.length > 1 && live.includes(family) ? (
        <>
        <strong className="in-print">{family}</strong>
        <Tabs
          label="Whose scores"
          values={live.map((value) => ({ value, title: value }))}
          chosen={family}
          onChoose={(name) => onChoose(name === status?.default_family ? null : name)}
        />
        </>
      ) : (
        <strong>{family}</strong>
      )}
    </span>
  );
}

function columns(
  answer: Schemas["TickersAnswer"], days: string, chosen: string | null, onChoose: (symbol: string | null) => void,
): Column<Ticker>[] {
  const before = days === "1" ? "the 24 hours before" : `the ${days} days before`;
  return [
    {
      key: "symbol",
      title: "Symbol",
      heading: true,
      sort: (row) => row.symbol,
      cell: ({ symbol }) => (
        <button type="button" className="chip" aria-pressed={symbol === chosen} onClick={() => onChoose(symbol === chosen ? null : symbol)}>
          {symbol}
        </button>
      ),
    },
    { key: "stories", title: "Stories", numeric: true, sort: (row) => row.stories, cell: ({ stories }) => number(stories) },
    {
      key: "mean",
      title: "Mean, labels",
      className: "mean",
      sort: (row) => row.mean_sentiment,
      cell: (row) =>
        row.mean_sentiment == null ? (
          <span className="soft small" title={`A mean needs ${answer.min_stories} scored stories.`}>
            too few: {row.scored_stories} scored
          </span>
        ) : (
          <>
            <SentimentBar value={row.mean_sentiment} label={leaning(row.mean_sentiment)} />
            {row.label_shares && <Shares of={row.label_shares} />}
          </>
        ),
    },
    {
      key: "change",
      title: <span title={`The mean less that of ${before}`}>Change</span>,
      numeric: true,
      sort: (row) => row.change,
      cell: ({ change }) =>
        change == null ? <None why={`too few scored stories now or in ${before}`} /> : <span>{arrow(change)} {signed(change)}</span>,
    },
  ];
}

/** The colour of a mean: it has no label of its own. */
const leaning = (mean: number): Label => (mean > 0.05 ? "positive" : mean < -0.05 ? "negative" : "neutral");
const arrow = (change: number): string => (change > 0.005 ? "↑" : change < -0.005 ? "↓" : "→");
