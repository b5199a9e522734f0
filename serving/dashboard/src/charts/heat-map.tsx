/** A grid of values, dark where low and bright where high; each cell can be pressed. It is a table, so it needs none beneath it. */
import { interpolateCividis } from "d3-scale-chromatic";
import { useState } from "react";

export interface HeatCell {
  /** 0 to 1 for the colour; null where there is nothing. */
  shade: number | null;
  /** The value in words: "0.31". */
  text: string;
  /** A sign beside the colour: what crossed its limit. */
  marked?: boolean;
}

interface Props {
  title: string;
  rows: readonly string[];
  columns: readonly string[];
  cell: (row: number, column: number) => HeatCell;
  /** What a mark means: "drifted". */
  mark?: string;
  chosen?: { row: number; column: number } | null;
  onChoose?: (row: number, column: number) => void;
}

export function HeatMap({ title, rows, columns, cell, mark = "marked", chosen = null, onChoose }: Props) {
  const [at, setAt] = useState<string | null>(null);
  return (
    <figure className="chart">
      <figcaption>
        <span className="chart-title">{title}</span>
        <span className="legend">
          low <i className="ramp" aria-hidden="true" /> high · ◆ {mark}
        </span>
      </figcaption>
      <div className="table-scroll" role="region" aria-label={title} tabIndex={0}>
        <table className="heat-map">
          <caption className="unseen">{title}</caption>
          <thead>
            <tr>
              <td />
              {columns.map((column) => (
                <th key={column} scope="col">
                  <span>{column}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((name, row) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                {columns.map((column, index) => {
                  const { shade, text, marked = false } = cell(row, index);
                  const said = `${name}, ${column}: ${text}${marked ? `, ${mark}` : ""}`;
                  const look = shade == null ? {} : { background: interpolateCividis(shade), color: shade > 0.5 ? "#000" : "#fff" };
                  const isChosen = chosen?.row === row && chosen.column === index;
                  return (
                    <td key={column} className={isChosen ? "chosen" : ""}>
                      <button
                        type="button"
                        style={look}
                        className={shade == null ? "nothing" : ""}
                        aria-label={said}
                        aria-pressed={onChoose ? isChosen : undefined}
                        disabled={shade == null || !onChoose}
                        onClick={() => onChoose?.(row, index)}
                        onPointerEnter={() => setAt(said)}
                        onFocus={() => setAt(said)}
                      >
                        {marked ? "◆" : shade == null ? "·" : ""}
                      </button>
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="readout">{at ?? "Point at a cell for its value."}</p>
    </figure>
  );
}
