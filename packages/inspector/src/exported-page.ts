/** Exports a log as one file that displays itself, for somebody who has nothing of FemtoClaw. */
import type { RecordPage } from "@femtoclaw/protocol";
import { cappedJson } from "./capped-json.ts";
import type { Beginning, Explained } from "./inspection.ts";
import { pageHtml } from "./page-html.ts";

export interface ExportedLog {
  readonly beginning: Beginning;
  readonly records: RecordPage["records"];
  /** By the number of the record that they explain. */
  readonly explanations: Readonly<Record<string, Explained>>;
}

export function exportedPage(log: ExportedLog): string {
  return pageHtml({ title: `FemtoClaw: ${log.beginning.log}`, data: cappedJson(log) });
}
