/** How far a change has come: recorded, published by the graph, answered by every replica that is asked. */
import type { Schemas } from "../../api/client";
import type { Step } from "../../parts/steps";

/** `atOnce`: it answers before the graph publishes it, which a promotion does not. */
export function progress(answer: Schemas["SelectionAnswer"], told: Schemas["SelectionsAnswer"], atOnce: boolean): Step[] {
  const mine = told.selections.filter(({ request_id: id }) => id === answer.request_id);
  const refused = mine.find(({ state }) => state === "refused");
  const published = mine.length > 0 && mine.every(({ state }) => state === "published");
  // What a process answered before it was asked for says nothing: it may have ended since.
  const asked = Date.parse(mine[0]?.requested_at ?? "");
  const known = told.replicas.filter(({ family }) => family in answer.after);
  const since = known.filter(({ answered_at: at }) => Date.parse(at) >= asked);
  const behind = since.filter(({ family, version }) => answer.after[family] !== version);
  const here: Step = { title: "It answers in the process that was asked", state: "done", detail: "" };
  const recorded: Step = {
    title: "The request is in the database",
    state: mine.length > 0 ? "done" : "waiting",
    detail: mine.length > 0 ? "" : "it gets there within seconds",
  };
  const everywhere: Step = {
    title: "Every replica that answers has it",
    state: since.length > 0 && behind.length === 0 ? "done" : "waiting",
    detail:
      since.length === 0
        ? "none has answered since"
        : behind.length > 0
          ? `${behind.length} of ${since.length} newest answers, one a replica and family, are by another version`
          : since.length < known.length
            ? "whoever was not asked since is not counted"
            : "",
  };
  const signed: Step = refused
    ? { title: "The graph publishes it", state: "failed", detail: refused.refusal ?? "" }
    : {
        title: "The graph publishes it",
        state: published ? "done" : "waiting",
        detail: published
          ? `deploy ${mine[0]?.published_revision ?? ""}`
          : "the sensor a_version_was_selected does so within a minute where the daemon runs it (its switch is in Dagster, Automation); else run: sentiment-platform run deploy_job",
      };
  return atOnce ? [here, recorded, everywhere, signed] : [recorded, signed, everywhere];
}
