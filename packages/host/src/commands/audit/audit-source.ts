/** Access to the signed log: through the running host, or in the journal of a stopped one. */
import { Buffer } from "node:buffer";
import { existsSync } from "node:fs";
import { type ExportedLog, FemtoError, printable } from "@femtoclaw/protocol";
import { type ExportRequest, exportAs, proveRecord, type RecordProof } from "../../log/log-access.ts";
import { readJournal } from "../../log/read-journal.ts";
import type { CommandContext } from "../command-context.ts";
import { hostAnswers } from "../host/host.ts";

export interface AuditSource extends AsyncDisposable {
  prove(ref: string): Promise<RecordProof>;
  checkpoint(): Promise<string | null>;
  checkpoints(): Promise<readonly number[]>;
  export(request: ExportRequest): Promise<ExportedLog>;
}

export async function auditSource(context: CommandContext): Promise<AuditSource> {
  if (await hostAnswers(context)) {
    const operator = await context.operator();
    return {
      prove: async (ref) => {
        const { seq, proof, record } = await operator.prove(ref);
        return { seq, proof, record: record === null ? null : Buffer.from(record, "base64") };
      },
      checkpoint: () => operator.checkpoint(),
      checkpoints: () => operator.checkpoints(),
      export: async (request) => {
        const exported = await operator.exportLog(request);
        assertSeen(request.out);
        return exported;
      },
      [Symbol.asyncDispose]: () => operator.close(),
    };
  }
  const { reader, ...journal } = await readJournal(context.load().resolved.stateDirectory);
  return {
    prove: (ref) => proveRecord(reader, ref),
    checkpoint: () => reader.latestCheckpoint(),
    checkpoints: () => reader.checkpoints(),
    export: (request) => exportAs(reader, request),
    [Symbol.asyncDispose]: () => journal[Symbol.asyncDispose](),
  };
}

/**
 * The host writes the export, and its systemd unit may give it a /tmp of its own. Such a file would be reported as
 * written, but nobody would find it.
 */
function assertSeen(out: string): void {
  if (existsSync(out)) return;
  throw new FemtoError(
    "FEMTO_EXPORT_FAILED",
    `the host wrote ${printable(out, 4_096)} to a place that is not visible here`,
    {
      fix: "Name a path outside /tmp that the host can write to, for example beside its state directory.",
    },
  );
}
