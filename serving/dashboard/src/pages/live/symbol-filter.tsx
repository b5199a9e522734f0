/** The search of the page: only news of one symbol. */
import { type FormEvent, useState } from "react";
import { useTickers } from "../../api/queries";
import { Button } from "../../parts/button";
import { Field } from "../../parts/field";
import { SEARCH } from "../../shell/keys";

// The API reads every usual spelling; this only keeps whole sentences from being asked for.
const SYMBOL = /^[A-Za-z0-9.^=_:&/$ -]{1,64}$/;

interface Props {
  symbol: string | null;
  onChoose: (symbol: string | null) => void;
}

export function SymbolFilter({ symbol, onChoose }: Props) {
  const [typed, setTyped] = useState(symbol ?? "");
  const known = useTickers({ days: 30, limit: 200 }).data?.tickers ?? [];
  const wrong = typed !== "" && !SYMBOL.test(typed);
  const choose = (event: FormEvent) => {
    event.preventDefault();
    if (!wrong) onChoose(typed.trim().toUpperCase() || null);
  };
  return (
    <form className="symbol-filter" role="search" onSubmit={choose}>
      <Field
        label="Only news of"
        placeholder="such as KSTN"
        list="known-symbols"
        autoComplete="off"
        autoCapitalize="characters"
        spellCheck={false}
        maxLength={64}
        value={typed}
        error={wrong ? "Letters, digits and . ^ = _ : & / $ - only." : null}
        onChange={({ target: { value } }) => {
          setTyped(value);
          // A choice from the list needs no Enter.
          if (known.some((ticker) => ticker.symbol === value)) onChoose(value);
        }}
        {...SEARCH}
      />
      <datalist id="known-symbols">
        {known.map((ticker) => (
          <option key={ticker.symbol} value={ticker.symbol} />
        ))}
      </datalist>
      {symbol && (
        <Button onClick={() => onChoose(null)}>
          Show all
        </Button>
      )}
    </form>
  );
}
