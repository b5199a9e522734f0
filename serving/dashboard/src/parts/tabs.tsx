/** A choice among a few views or windows; the page keeps which one in its address (`useChoice`). */

interface Props<Value extends string> {
  label: string;
  values: readonly { value: Value; title: string }[];
  chosen: Value;
  onChoose: (value: Value) => void;
}

export const Tabs = <Value extends string>({ label, values, chosen, onChoose }: Props<Value>) => (
  <div className="tabs" role="group" aria-label={label}>
    {values.map(({ value, title }) => (
      <button key={value} type="button" aria-pressed={value === chosen} onClick={() => onChoose(value)}>
        {title}
      </button>
    ))}
  </div>
);
