/** What the comparison on the newest holdout says of each version that a choice puts in the place of another. */
import { Link } from "wouter";
import type { Schemas } from "../../api/client";
import { Badge, type Tone } from "../../parts/badge";
import { None } from "../../parts/none";

const TONES: Record<string, Tone> = { better: "good", worse: "critical" };
const tone = ({ verdict, speaks_against: against }: Schemas["ExchangedPair"]): Tone => (against ? "critical" : (TONES[verdict ?? ""] ?? "plain"));

export function ExchangedPairs({ pairs }: { pairs: readonly Schemas["ExchangedPair"][] }) {
  if (pairs.length === 0) return <None why="no version is exchanged, or the database does not answer" />;
  return (
    <ul className="exchanged">
      {pairs.map((pair) => (
        <li key={`${pair.champion} ${pair.challenger}`}>
          <Badge tone={tone(pair)}>{pair.verdict ?? "not compared yet"}</Badge>{" "}
          {pair.speaks_against && <strong>It speaks against {pair.challenger}. The signed deployment will say so beside your reason. </strong>}
          {pair.words}{" "}
          {pair.verdict != null && <Link href={`/app/models/compare?a=${pair.challenger}&b=${pair.champion}`}>Figures</Link>}
        </li>
      ))}
    </ul>
  );
}
