/** A page: its title, the one question that it answers, and its cards. */
import { type ReactNode, useEffect } from "react";

interface Props {
  title: string;
  question: string;
  /** Beside the title: filters, tabs. */
  controls?: ReactNode;
  children: ReactNode;
}

export function Page({ title, question, controls, children }: Props) {
  useEffect(() => {
    document.title = `${title} · Sentiment`;
  }, [title]);
  return (
    <>
      <header className="page-head">
        <div>
          <h1>{title}</h1>
          <p className="question">{question}</p>
        </div>
        {controls && <div className="controls">{controls}</div>}
      </header>
      {children}
    </>
  );
}
