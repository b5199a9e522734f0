/** Asks for an API key, once a tab: what was typed on one page stands on the others too. `role`: the least that is needed; `onChange`: it is another key now. */
import { Field } from "../parts/field";
import { setKey, useKey } from "./key";

interface Props {
  role: "operator" | "promoter" | "admin";
  onChange: () => void;
}

export function KeyField({ role, onChange }: Props) {
  return (
    <Field
      label="API key"
      type="password"
      autoComplete="off"
      hint={
        <>
          Of role {role} or above. Kept by this tab until it is loaded anew, and nowhere else.{" "}
          <code>sentiment-platform keys create --owner YOU --role {role}</code> makes one.
        </>
      }
      value={useKey()}
      onChange={(event) => { setKey(event.target.value); onChange(); }}
    />
  );
}
