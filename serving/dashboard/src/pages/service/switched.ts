/** How far the turning of a switch has come: stored, known to the process that was asked, known to every replica that answered since. */
import type { Schemas } from "../../api/client";
import type { Step } from "../../parts/steps";

/** Within this time every process goes by a change. */
export const SPREADS_WITHIN_MS = 2_000;

/** What a replica that was asked goes by. */
export type Seen = ReadonlyMap<string, boolean>;

/** `seen`: by what each replica goes that was asked since; `answered`: the replicas that answered a prediction since; `ageMs`: since the change. */
export function switched(turned: Schemas["FlagShown"], told: Schemas["FlagList"], seen: Seen, answered: ReadonlySet<string>, ageMs: number): Step[] {
  const now = told.flags?.find(({ name }) => name === turned.name);
  const again = now && now.revision > turned.revision ? now : undefined;
  const behind = [...seen.values()].filter((enabled) => enabled !== turned.enabled).length;
  const notAsked = [...answered].filter((replica) => !seen.has(replica)).length;
  const everywhere = seen.size > 0 && behind === 0 && notAsked === 0 && ageMs >= SPREADS_WITHIN_MS;
  return [
    { title: "It is in the database and the audit trail", state: "done", detail: "what runs by schedule reads it there" },
    { title: "It holds in the process that was asked", state: "done", detail: "" },
    again
      ? { title: "Every replica that answered since has it", state: "failed", detail: `${again.actor ?? "somebody"} turned it again: ${again.reason ?? ""}` }
      : {
          title: "Every replica that answered since has it",
          state: everywhere ? "done" : "waiting",
          detail: everywhere
            ? `${seen.size} of ${seen.size}; whoever was not asked since is not counted`
            : behind > 0
              ? `${behind} of ${seen.size} goes by the old one still`
              : notAsked > 0
                ? `${notAsked} more answered since, and was not asked for its switches yet`
                : "each looks within 2 s",
        },
  ];
}

/** What a switch allows, and what is so while it is off, of the API's one text: "... Off: ...". */
export function meaning(allows: string): { on: string; off: string } {
  const [on = "", off] = allows.split(" Off: ");
  return { on, off: off === undefined ? allows : `${off.charAt(0).toUpperCase()}${off.slice(1)}` };
}
