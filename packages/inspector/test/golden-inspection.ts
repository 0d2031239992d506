/** The log that a release wrote, for a page to ask. */
import { join } from "node:path";
import { TilesReader } from "@femtoclaw/journal";
import type { Answer, Inspection } from "../src/inspection.ts";
import { RecordPages } from "../src/record-pages.ts";

const LOG = join(import.meta.dirname, "../../testing/golden/0.3.0/log");

export interface GoldenInspection extends Inspection, AsyncDisposable {
  readonly answers: readonly Answer[];
  /** How many pages of records were read from the log. */
  pagesRead(): number;
}

export async function goldenInspection(approve = false): Promise<GoldenInspection> {
  const reader = await TilesReader.open(LOG);
  const pages = new RecordPages(reader);
  const answers: Answer[] = [];
  let pagesRead = 0;
  return {
    answers,
    begin: async () => ({
      mode: "live",
      log: "golden",
      version: "0.3.0",
      approve,
      verdict: null,
      summary: await pages.summary(),
    }),
    pagesRead: () => pagesRead,
    records: (from) => {
      pagesRead += 1;
      return pages.from(from);
    },
    status: async () => null,
    body: async () => ({ content: "x".repeat(1_048_576) }),
    explain: async () => null,
    prove: async () => null,
    questions: async () => [],
    answer: async (answer) => {
      answers.push(answer);
      return { seq: 1, complete: true };
    },
    [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
  };
}
