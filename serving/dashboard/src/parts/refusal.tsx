/** What the API refused, in its own words, and what that means for the person who asked. */
import type { ApiError } from "../api/client";

const MEANING: Record<number, string> = {
  401: "The API does not know this key. A key of this platform is needed: one that was created, is not revoked, and was copied whole.",
  403: "The API knows this key, but its role or scope may not do this.",
  409: "Something else is so than this page showed. Look again, and decide anew.",
  429: "Too many requests came from here. Wait a moment.",
  503: "Nothing was changed. It needs what does not answer now; ask again when it is back.",
};

export const Refusal = ({ error }: { error: ApiError }) => (
  <div className="band critical" role="alert">
    <p>
      <strong>Refused.</strong> {error.detail}
    </p>
    {MEANING[error.status] && <p>{MEANING[error.status]}</p>}
    {error.errors.map(({ field, message }) => (
      <p key={field}>
        <code>{field}</code>: {message}
      </p>
    ))}
  </div>
);
