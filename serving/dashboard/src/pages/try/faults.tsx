/** Why a text was not answered, in the API's words: which field, and what is wrong with it. */
import type { ApiError } from "../../api/client";

export const Faults = ({ error }: { error: ApiError }) => (
  <div className="band critical" role="alert">
    <p>
      <strong>No answer.</strong> {error.detail}
    </p>
    {error.errors.length > 0 && (
      <ul>
        {error.errors.map(({ field, message }) => (
          <li key={`${field} ${message}`}>
            <code>{field}</code>: {message}
          </li>
        ))}
      </ul>
    )}
  </div>
);
