/** A sentence of the API, in which `words between backticks` are something to type. */

export const Prose = ({ text }: { text: string }) => (
  <>
    {text.split("`").map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part))}
  </>
);
