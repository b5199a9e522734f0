/** What moved a text: entries of an explanation gathered by token, in the order of the text. */
import type { Schemas } from "../../api/client";

export interface MovedToken {
  position: number;
  token: string;
  /** Sum over its rules, in units of sentiment. */
  moved: number;
  rules: readonly { token: string; rule: string; moved: number }[];
}

/** One entry a position; the parts of a phrase stand at its first word, and are named by the phrase in `rules`. */
export function byToken(contributions: readonly Schemas["TokenContribution"][]): MovedToken[] {
  const gathered = new Map<number, MovedToken & { rules: { token: string; rule: string; moved: number }[] }>();
  for (const { position, token, contribution, rule } of contributions) {
    const there = gathered.get(position);
    const part = { token, rule, moved: contribution };
    if (there === undefined) gathered.set(position, { position, token, moved: contribution, rules: rule ? [part] : [] });
    else {
      there.moved += contribution;
      // A phrase is longer than the word at which it stands.
      if (token.length < there.token.length) there.token = token;
      if (rule) there.rules.push(part);
    }
  }
  const inOrder = [...gathered.values()].sort((a, b) => a.position - b.position);
  // A word that nothing but a phrase moved is shown alone: its neighbours have entries of their own.
  return inOrder.map((token, index) =>
    inOrder[index + 1]?.position === token.position + 1 ? { ...token, token: token.token.split(/\s/)[0] ?? token.token } : token,
  );
}

/** How strongly a token is coloured, 0 to 1: against the token that moved most, and never strong where nothing moved much. */
export function strength(moved: number, tokens: readonly MovedToken[]): number {
  const most = Math.max(0.2, ...tokens.map((token) => Math.abs(token.moved)));
  return Math.abs(moved) / most;
}
