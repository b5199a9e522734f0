/**
 * Text of others, with nothing unseen in it. Every answer of the API goes through here (`client.ts`), so that no page can forget it.
 *
 * What turns a line round, hides a part of it or takes no room is shown as its code point: `[U+202E]`. Marks that are piled up over their
 * neighbours' lines are counted instead. Joiners and marks of direction stay: emoji and whole scripts are written with them.
 */
const UNSEEN =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u115f\u1160\u17b4\u17b5\u180e\u200b\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e0fff}]/gu;
/** A text of joiners and marks alone, which would look like no text. */
const NOTHING_ELSE = /^[\s\u200c-\u200f\u061c\ufe00-\ufe0f]*[\u200c-\u200f\u061c\ufe00-\ufe0f][\s\u200c-\u200f\u061c\ufe00-\ufe0f]*$/;
const PILED_UP = /(\p{M}{4})(\p{M}+)/gu;

const codePoint = (character: string): string => `[U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}]`;

export function visibleText(text: string): string {
  if (NOTHING_ELSE.test(text)) return text.replace(/\S/gu, codePoint);
  return text.replace(UNSEEN, codePoint).replace(PILED_UP, (_, kept: string, more: string) => `${kept}[+${[...more].length} marks]`);
}

/** The same body, with each text and each name in it as `visibleText` writes it. */
export function visible<Body>(body: Body): Body {
  if (typeof body === "string") return visibleText(body) as Body;
  if (Array.isArray(body)) return body.map(visible) as Body;
  if (typeof body !== "object" || body === null) return body;
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [visibleText(name), visible(value)])) as Body;
}
