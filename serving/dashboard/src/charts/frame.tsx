/**
 * What every chart stands in: its title, its drawing at the width that there is, and beneath it the same figures as a table.
 *
 * A drawing is never scaled: scaled text shrinks to nothing on a telephone. The table is for screen readers, for copying and for print.
 */
import { type ReactNode, useEffect, useId, useRef, useState } from "react";

export interface ChartTable {
  columns: readonly string[];
  rows: readonly (readonly ReactNode[])[];
}

interface Props {
  title: string;
  /** What is to be seen in it, in a sentence; also what a screen reader says of the drawing. */
  summary: string;
  table: ChartTable;
  /** In pixels; as a function of the width where a narrow drawing needs more. */
  height: number | ((width: number) => number);
  /** Beside the title: names and colours of what is drawn. */
  legend?: ReactNode;
  /** What the pointer is on. */
  readout?: ReactNode;
  /** The content of an SVG of this width and the height above. */
  children: (width: number) => ReactNode;
}

export function ChartFrame({ title, summary, table, height, legend, readout, children }: Props) {
  const [ref, width] = useWidth();
  const id = useId();
  const tall = typeof height === "number" ? height : height(width);
  return (
    <figure className="chart" aria-labelledby={id}>
      <figcaption id={id}>
        <span className="chart-title">{title}</span>
        {legend && <span className="legend">{legend}</span>}
      </figcaption>
      <div ref={ref} className="plot" style={{ height: tall }}>
        {width > 0 && (
          <svg width={width} height={tall} role="img" aria-label={`${title}. ${summary}`}>
            {children(width)}
          </svg>
        )}
      </div>
      <p className="readout">{readout ?? summary}</p>
      <AsTable title={title} table={table} />
    </figure>
  );
}

/** The figures of a chart, folded away until they are asked for. */
export const AsTable = ({ title, table }: { title: string; table: ChartTable }) => (
  <details className="as-table">
    <summary>
      Show as table<span className="unseen">: {title}</span>
    </summary>
    <div className="table-scroll" role="region" aria-label={`${title}, as a table`} tabIndex={0}>
      <table className="table">
        <thead>
          <tr>
            {table.columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row, index) => (
            <tr key={index}>
              {row.map((cell, at) => (at === 0 ? <th key={at} scope="row">{cell}</th> : <td key={at}>{cell}</td>))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  </details>
);

/** A name with the colour of its series. */
export const Key = ({ series, children }: { series: number; children: ReactNode }) => (
  <span className="key">
    <svg width="14" height="8" aria-hidden="true">
      <line x1="0" x2="14" y1="4" y2="4" className={`line series-${series}`} />
    </svg>
    {children}
  </span>
);

/** The width of an element, followed while it changes. */
export function useWidth(): [React.RefObject<HTMLDivElement | null>, number] {
  const ref = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    const measure = () => setWidth(Math.floor(element.clientWidth));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [ref, width];
}
