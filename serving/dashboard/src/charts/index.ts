/** Every chart. Its styles come with it, so a page without charts loads none. */
import "./charts.css";

export { Calibration } from "./calibration";
export { AsTable, ChartFrame, type ChartTable, Key } from "./frame";
export { HeatMap, type HeatCell } from "./heat-map";
export { type Bin, HistogramPair } from "./histogram";
export { type Interval, IntervalChart } from "./interval-chart";
export { type Line, LineChart, type LinePoint } from "./line-chart";
export { Matrix } from "./matrix";
export { Timeline, type TimelineSpan } from "./timeline";
