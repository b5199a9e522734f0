/** Asks for the admin key, once a tab: what was typed on one page stands on the others too. `onChange`: it is another key now. */
import { Field } from "../parts/field";
import { setKey, useKey } from "./key";

export function KeyField({ onChange }: { onChange: () => void }) {
  return (
    <Field
      label="Admin key"
      type="password"
      autoComplete="off"
      hint={
        <>
          Kept by this tab until it is loaded anew, and nowhere else. <code>sentiment-platform keys create --owner YOU --role admin</code> makes one.
        </>
      }
      value={useKey()}
      onChange={(event) => { setKey(event.target.value); onChange(); }}
    />
  );
}
