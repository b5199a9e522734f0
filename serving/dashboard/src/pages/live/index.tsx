/** Live: what does today's news say, of whom, and which model says so? */
import { Page } from "../../parts/page";
import { useParam } from "../../parts/url";
import type { PageProps } from "..";
import { Board } from "./board";
import { Feed } from "./feed";
import { OpenAlerts } from "./open-alerts";
import { Strip } from "./strip";
import { SymbolFilter } from "./symbol-filter";
import "./live.css";

export default function Live({ title, question }: PageProps) {
  const [given, setSymbol] = useParam("symbol", { push: true });
  const symbol = given && given.toUpperCase();
  return (
    <Page title={title} question={question} controls={<SymbolFilter key={symbol} symbol={symbol} onChoose={setSymbol} />}>
      <Strip />
      <p className="jump">
        <a href="#headlines">Headlines</a>
        <a href="#symbols">Symbols</a>
        <a href="#wrong">Is anything wrong?</a>
      </p>
      <div className="live-grid">
        <Feed key={symbol} symbol={symbol} onChoose={setSymbol} />
        <div className="live-side">
          <Board symbol={symbol} onChoose={setSymbol} />
          <OpenAlerts />
        </div>
      </div>
    </Page>
  );
}
