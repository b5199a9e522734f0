/** An input with its label, a hint, and what is wrong with it. */
import { type InputHTMLAttributes, type ReactNode, type SelectHTMLAttributes, type TextareaHTMLAttributes, useId } from "react";

interface Shell {
  label: string;
  hint?: ReactNode;
  error?: string | null;
}

interface Wiring {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": true | undefined;
}

function Labelled({ label, hint, error, children }: Shell & { children: (wiring: Wiring) => ReactNode }) {
  const id = useId();
  const note = error ?? hint;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({ id, "aria-describedby": note ? `${id}-note` : undefined, "aria-invalid": error ? true : undefined })}
      {note && (
        <p id={`${id}-note`} className={error ? "fault" : "hint"} role={error ? "alert" : undefined}>
          {note}
        </p>
      )}
    </div>
  );
}

export const Field = ({ label, hint, error, ...input }: Shell & InputHTMLAttributes<HTMLInputElement>) => (
  <Labelled label={label} hint={hint} error={error}>
    {(wiring) => <input {...input} {...wiring} />}
  </Labelled>
);

export const TextField = ({ label, hint, error, ...input }: Shell & TextareaHTMLAttributes<HTMLTextAreaElement>) => (
  <Labelled label={label} hint={hint} error={error}>
    {(wiring) => <textarea {...input} {...wiring} />}
  </Labelled>
);

export const Select = ({ label, hint, error, children, ...input }: Shell & SelectHTMLAttributes<HTMLSelectElement>) => (
  <Labelled label={label} hint={hint} error={error}>
    {(wiring) => (
      <select {...input} {...wiring}>
        {children}
      </select>
    )}
  </Labelled>
);
