/** Sentiment to look at: a label's word with its glyph, the score from -1 to 1, three probabilities, shares of labels. */
import type { Schemas } from "../api/client";
import { percent, signed } from "./format";

export type Label = Schemas["NewsScore"]["label"];
export const LABELS: readonly Label[] = ["negative", "neutral", "positive"];
const GLYPHS: Record<Label, string> = { negative: "▼", neutral: "●", positive: "▲" };

export const LabelWord = ({ label }: { label: Label }) => (
  <span className={`label ${label}`}>
    <span aria-hidden="true">{GLYPHS[label]}</span> {label}
  </span>
);

/** A bar from the middle: to the right positive, to the left negative. */
export const SentimentBar = ({ value, label }: { value: number; label: Label }) => (
  <span className="sentiment-bar">
    <span className="track" aria-hidden="true">
      <span
        className={`fill ${label}`}
        style={{ left: `${50 + 50 * Math.min(0, value)}%`, width: `${Math.max(1.5, 50 * Math.abs(value))}%` }}
      />
    </span>
    <span className="number">{signed(value)}</span>
  </span>
);

/** Three bars, one a label, with their percentages; the likeliest in bold. */
export function Probabilities({ of, label }: { of: Schemas["LabelProbabilities"]; label: Label }) {
  return (
    <dl className="probabilities">
      {[...LABELS].reverse().map((name) => (
        <div key={name} className={name === label ? "likeliest" : ""}>
          <dt>
            <LabelWord label={name} />
          </dt>
          <dd>
            <span className="track" aria-hidden="true">
              <span className={`fill ${name}`} style={{ width: `${100 * of[name]}%` }} />
            </span>
            <span className="number">{percent(of[name])}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** One bar in three parts: how often each label was given. Its words are for screen readers and the pointer. */
export function Shares({ of }: { of: Schemas["LabelShares"] }) {
  const told = LABELS.map((label) => `${percent(of[label])} ${label}`).join(", ");
  return (
    <span className="shares" title={told}>
      <span className="unseen">{told}</span>
      {LABELS.map((label) => (
        <span key={label} aria-hidden="true" className={`part ${label}`} style={{ width: `${100 * of[label]}%` }} />
      ))}
    </span>
  );
}
