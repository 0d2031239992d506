/** The log that a release wrote, for a page to ask. */
import { join } from "node:path";
import { TilesReader } from "@femtoclaw/journal";
import type { Answer, Inspection } from "../src/inspection.ts";
import { RecordPages } from "../src/record-pages.ts";

const LOG = join(import.meta.dirname, "../../testing/golden/0.3.0/log");

export interface GoldenInspection extends Inspection, AsyncDisposable {
  readonly answers: readonly Answer[];
}

export async function goldenInspection(approve = false): Promise<GoldenInspection> {
  const reader = await TilesReader.open(LOG);
  const pages = new RecordPages(reader);
  const answers: Answer[] = [];
  return {
    answers,
    begin: async () => ({
      ...{ mode: "live", log: "golden", version: "0.3.0", approve, verdict: null },
      summary: await pages.summary(),
    }),
    records: (from) => pages.from(from),
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
