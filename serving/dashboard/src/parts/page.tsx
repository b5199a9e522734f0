/** A page: its title, the one question that it answers, and its cards. */
import { type ReactNode, useEffect } from "react";
import { visibleText } from "../api/visible";

interface Props {
  title: string;
  question: string;
  /** Beside the title: filters, tabs. */
  controls?: ReactNode;
  children: ReactNode;
}

export function Page({ title: given, question: asked, controls, children }: Props) {
  // Both may hold what somebody wrote into an address.
  const [title, question] = [visibleText(given), visibleText(asked)];
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
