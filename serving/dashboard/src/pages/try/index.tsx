/** Try: what does it say of my sentence, and why? */
import { type FormEvent, type KeyboardEvent, useEffect, useState } from "react";
import type { PageProps } from "..";
import { useAbout, useComparison, useStatus } from "../../api/queries";
import { Button } from "../../parts/button";
import { Grid } from "../../parts/card";
import { Field, TextField } from "../../parts/field";
import { Loaded } from "../../parts/loaded";
import { Page } from "../../parts/page";
import { useParam, useSetParams } from "../../parts/url";
import { SEARCH } from "../../shell/keys";
import { Agreement } from "./agreement";
import { Answering } from "./answering";
import { FamilyCard } from "./family-card";
import { Faults } from "./faults";
import { ShareLink } from "./share-link";
import "./try.css";

/** Written for this page: one of each label, one that turns in the middle, one without any feeling. */
const EXAMPLES = [
  "Shares slide as profit misses forecasts",
  "Chipmaker lifts its outlook after record orders",
  "Retailer to publish its quarterly figures on Thursday",
  "Sales fell, but the company expects a strong recovery",
] as const;

/** What an address may hold of a text: with the rest of it, less than what the API takes. */
const LONGEST_IN_ADDRESS = 3000;

export default function Try({ title, question }: PageProps) {
  const [linked] = useParam("text");
  // A text that no address can hold is asked all the same, and has no link.
  const [long, setLong] = useState<string | null>(null);
  const text = linked ?? long;
  const [ticker] = useParam("ticker");
  const setParams = useSetParams({ push: true });
  const [draft, setDraft] = useState(text ?? "");
  const [share, setShare] = useState(ticker ?? "");
  // Back and forward change the address; what stands in the field follows.
  useEffect(() => setDraft(text ?? ""), [text]);
  useEffect(() => setShare(ticker ?? ""), [ticker]);
  const about = useAbout();
  const status = useStatus();
  const limit = about.data?.limits.text_characters ?? 5000;
  const asked = text?.trim() ? { text, ticker: ticker || null, explain: true } : null;
  const answer = useComparison(asked);

  const ask = (sentence: string) => {
    const fits = encodeURIComponent(sentence.trim()).length <= LONGEST_IN_ADDRESS;
    setLong(fits ? null : sentence.trim());
    setParams({ text: fits ? sentence.trim() || null : null, ticker: share.trim() || null });
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    ask(draft);
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      ask(draft);
    }
  };

  return (
    <Page title={title} question={question} controls={asked && answer.data && (linked ? <ShareLink /> : <span className="note">Too long for a link</span>)}>
      <form className="card try-form" onSubmit={submit}>
        <TextField
          label="A headline or a short text"
          rows={2}
          maxLength={limit}
          value={draft}
          onChange={(event) => setDraft(event.target.value)}
          onKeyDown={pressed}
          hint={draft.length > limit * 0.9 ? `${draft.length} of ${limit} characters` : "Enter asks, Shift and Enter begins a new line."}
          {...SEARCH}
        />
        <div className="row ask-row">
          <Field
            label="Symbol, if you know it"
            hint="Adds what was in the news of it."
            value={share}
            maxLength={64}
            onChange={(event) => setShare(event.target.value)}
          />
          <Button type="submit" kind="primary" busy={answer.isFetching} disabled={!draft.trim()}>
            {answer.isFetching ? "Asking…" : "Ask both models"}
          </Button>
        </div>
        <p className="examples">
          <span>Or take one of these:</span>
          {EXAMPLES.map((sentence) => (
            <Button key={sentence} kind="quiet" onClick={() => ask(sentence)}>
              {sentence}
            </Button>
          ))}
        </p>
      </form>
      <Loaded query={status} what="What is live">
        {({ families }) => <Answering families={families} />}
      </Loaded>
      <div aria-live="polite">
        {asked && answer.error && <Faults error={answer.error} />}
        {asked && answer.data && (
          <>
            <Agreement answer={answer.data} />
            <Grid>
              {Object.entries(answer.data.results).map(([family, result]) => (
                <FamilyCard
                  key={family}
                  family={family}
                  description={about.data?.families.find(({ name }) => name === family)?.description}
                  result={result}
                />
              ))}
            </Grid>
          </>
        )}
      </div>
    </Page>
  );
}
