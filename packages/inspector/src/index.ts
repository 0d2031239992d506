/** The journal as a page: frames made from records, and the local server and the file that show them. */
export { exportedPage } from "./exported-page.ts";
export { FrameProjection } from "./frame-projection.ts";
export type { Frame, Summary } from "./frames.ts";
export { CHARTS } from "./generated/charts.ts";
export type {
  Answer,
  Beginning,
  Explained,
  Inspection,
  ProofView,
  Question,
  Verdict,
} from "./inspection.ts";
export { InspectionFault } from "./inspection-fault.ts";
export { serveInspector } from "./inspector-server.ts";
export { RecordPages } from "./record-pages.ts";
