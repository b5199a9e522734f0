/** A story: its headline, who carried it, whom it names, and what each model says of it. Text of others is shown as text only. */
import { Badge } from "../../parts/badge";
import { counted } from "../../parts/format";
import { Outward } from "../../parts/outward";
import { LabelWord, SentimentBar } from "../../parts/sentiment";
import { Time } from "../../parts/time";
import { familiesOf, type Story } from "./stories";

interface Props {
  story: Story;
  first: string | null;
  isNew: boolean;
  chosen: string | null;
  onChoose: (symbol: string | null) => void;
}

export function Item({ story, first, isNew, chosen, onChoose }: Props) {
  return (
    <li className={isNew ? "story new" : "story"}>
      <div className="said">
        <p className="headline">
          <bdi>
            <Outward to={story.url}>{story.headline}</Outward>
          </bdi>
        </p>
        {story.corrected_at != null && <Corrected at={story.corrected_at} before={story.earlier.at(-1)?.headline} />}
        <p className="meta">
          <Time at={story.published_at} />
          <bdi className="outlet">{story.outlet}</bdi>
          {story.articles > 1 && <span>{counted(story.articles, "article")}</span>}
          {story.symbols.map((symbol) => (
            <button
              key={symbol}
              type="button"
              className="chip"
              aria-pressed={symbol === chosen}
              onClick={() => onChoose(symbol === chosen ? null : symbol)}
            >
              {symbol}
            </button>
          ))}
          {isNew && <Badge tone="accent">new</Badge>}
          {story.agreement === false && (
            <Badge tone="warning">
              <span aria-hidden="true">≠ </span>models differ
            </Badge>
          )}
          {story.agreement === true && (
            <span className="agree">
              <span aria-hidden="true">= </span>models agree
            </span>
          )}
        </p>
      </div>
      <Scores story={story} first={first} />
    </li>
  );
}

function Corrected({ at, before }: { at: string; before: string | undefined }) {
  return (
    <p className="corrected soft small">
      Corrected <Time at={at} />. It said: <bdi>{before}</bdi>
    </p>
  );
}

function Scores({ story, first }: { story: Story; first: string | null }) {
  const families = familiesOf([story], first);
  if (!story.supported) return <p className="scores soft small">Not English: no reading.</p>;
  if (families.length === 0) return <p className="scores soft small">No model has scored it yet.</p>;
  return (
    <ul className="scores" aria-label="Scores">
      {families.map((family) => {
        const score = story.scores[family];
        return (
          score && (
            <li key={family}>
              <span className="version">{score.version}</span>
              <SentimentBar value={score.sentiment} label={score.label} />
              <LabelWord label={score.label} />
            </li>
          )
        );
      })}
    </ul>
  );
}
