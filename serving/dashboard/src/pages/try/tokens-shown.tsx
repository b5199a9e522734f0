/** The text with each token coloured by how much it moved the answer, and the same as a table. */
import type { Schemas } from "../../api/client";
import { signed, words } from "../../parts/format";
import { byToken, strength } from "./tokens";

export function Tokens({ explanation, family }: { explanation: Schemas["Explanation"]; family: string }) {
  const tokens = byToken(explanation.contributions);
  return (
    <div className="explained">
      <p className="tokens" aria-label={`What moved ${family}: the table below has it in numbers`}>
        {tokens.map((token) => (
          <span
            key={token.position}
            className={`token ${Math.abs(token.moved) < 0.005 ? "still" : token.moved > 0 ? "up" : "down"}`}
            title={`${token.token}: ${signed(token.moved, 3)}`}
            style={{ "--strength": `${Math.round(100 * strength(token.moved, tokens))}%` } as React.CSSProperties}
          >
            {token.token}
            {Math.abs(token.moved) >= 0.005 && <sub aria-hidden="true">{signed(token.moved)}</sub>}
          </span>
        ))}
      </p>
      <details>
        <summary>In numbers</summary>
        <div className="table-scroll" role="region" aria-label={`What moved ${family}`} tabIndex={0}>
          <table className="table">
            <caption className="unseen">How much each token moved the sentiment of {family}, and by which rule</caption>
            <thead>
              <tr>
                <th scope="col">Part</th>
                <th scope="col">By</th>
                <th scope="col" className="numeric">
                  Moved
                </th>
              </tr>
            </thead>
            <tbody>
              <tr>
                <th scope="row">An empty text</th>
                <td />
                <td className="numeric">{signed(explanation.base, 3)}</td>
              </tr>
              <tr>
                <th scope="row">Features</th>
                <td />
                <td className="numeric">{signed(explanation.features, 3)}</td>
              </tr>
              {tokens.map((token) => (
                <tr key={token.position}>
                  <th scope="row">{token.token}</th>
                  <td>
                    {token.rules
                      .map(({ token: part, rule, moved }) => `${words(rule)}${part === token.token ? "" : ` “${part}”`} ${signed(moved, 3)}`)
                      .join(", ")}
                  </td>
                  <td className="numeric">{signed(token.moved, 3)}</td>
                </tr>
              ))}
            </tbody>
            <tfoot>
              <tr>
                <th scope="row">Sentiment</th>
                <td />
                <td className="numeric">{signed(explanation.sum, 3)}</td>
              </tr>
            </tfoot>
          </table>
        </div>
      </details>
    </div>
  );
}
