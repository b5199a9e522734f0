/** What a refusal of a change means for the person who asked for it, beside the API's own words. */

const MEANING: Record<number, string> = {
  401: "The API does not know this key. An admin key of this platform is needed: one that was created, is not revoked, and was copied whole.",
  403: "The API knows this key, but it is not an admin's.",
  409: "Something else is live than this page showed. Look again, and decide anew.",
  429: "Too many requests came from here. Wait a moment.",
  503: "The change was not made. It needs what does not answer now; ask again when it is back.",
};

export const explained = (status: number): string | null => MEANING[status] ?? null;
