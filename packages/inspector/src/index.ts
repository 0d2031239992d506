/** The journal as a page: frames out of records, and the local server and file that show them. */
export type { Chart } from "./chart.ts";
export { type ExportedLog, exportedPage } from "./exported-page.ts";
export { FrameProjection, InspectionFault } from "./frame-projection.ts";
export type { Frame, Summary } from "./frames.ts";
export { CHARTS } from "./generated/charts.ts";
export type {
  Answer,
  Beginning,
  Explained,
  Inspection,
  ProofView,
  Question,
  RecordPage,
  Verdict,
} from "./inspection.ts";
export { type InspectorServer, serveInspector } from "./inspector-server.ts";
export { type PagedLog, RecordPages } from "./record-pages.ts";
export { summaryOf } from "./summary.ts";
