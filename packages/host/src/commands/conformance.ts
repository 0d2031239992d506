/** `conformance`: examines an executable from outside and judges each clause of the deployment specification. */
import { accessSync, constants } from "node:fs";
import { resolve } from "node:path";
import { checkConformance, type JudgedClause } from "@femtoclaw/conformance";
import { EXIT, errorText, FemtoError, printable, systemErrorCode } from "@femtoclaw/protocol";
import { ownCommand } from "../own-command.ts";
import { table } from "../terminal/table.ts";
import type { CommandContext } from "./command-context.ts";

/** LIMIT: characters of one line of evidence. */
const EVIDENCE_CHARS_MAX = 400;

export interface ConformanceFlags {
  readonly bin?: string;
  readonly full?: boolean;
  readonly installed?: boolean;
  readonly from?: string;
  readonly rebuilt?: string;
}

export async function conformance(context: CommandContext, flags: ConformanceFlags): Promise<number> {
  const { bin, full = false, installed = false } = flags;
  const { environment } = context;
  if (process.platform !== "linux") {
    const reason = "the check looks at processes through /proc, and what it cannot see would look like a failure";
    throw new FemtoError("FEMTO_PLATFORM_UNSUPPORTED", reason);
  }
  const named = (file: string | undefined): string | null => (file === undefined ? null : program(context.cwd, file));
  const examined = named(bin);
  const { version, deploymentDigest, scope, clauses } = await checkConformance({
    command: examined === null ? ownCommand() : [examined],
    full,
    installed: installed ? { configuration: context.load().path, environment } : null,
    from: named(flags.from),
    rebuilt: named(flags.rebuilt),
    onProgress: (text) => context.output.talk(text),
  });
  if (context.output.json) {
    context.output.value({
      version,
      deployment_digest: deploymentDigest,
      clauses: clauses.map((clause) => ({ ...clause, scope })),
    });
  } else {
    const rows = clauses.map(({ id, verdict, demands, evidence }) => [id, verdict, `${demands}: ${evidence}`]);
    for (const line of table(rows.map((row) => row.map((text) => printable(text, EVIDENCE_CHARS_MAX))))) {
      context.output.line(line);
    }
    context.output.line(summary(clauses));
  }
  if (count(clauses, "fails") > 0) return EXIT.no;
  return count(clauses, "not-checked") > 0 ? EXIT.incomplete : EXIT.ok;
}

/** Looked at before anything is begun, because the check takes minutes. */
function program(folder: string, file: string): string {
  const path = resolve(folder, file);
  try {
    accessSync(path, constants.X_OK);
    return path;
  } catch (error) {
    const reason = `${printable(path, 4_096)} cannot be run: ${systemErrorCode(error) ?? errorText(error)}`;
    const fix = "Name an executable that exists. `npm run build:binary` makes one.";
    throw new FemtoError("FEMTO_USAGE", reason, { fix, cause: error });
  }
}

function summary(clauses: readonly JudgedClause[]): string {
  const counts = (["holds", "fails", "not-checked"] as const).map((verdict) => `${count(clauses, verdict)} ${verdict}`);
  return `${clauses.length} clauses: ${counts.join(", ")}`;
}

function count(clauses: readonly JudgedClause[], verdict: JudgedClause["verdict"]): number {
  return clauses.filter((clause) => clause.verdict === verdict).length;
}
