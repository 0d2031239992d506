/** A log that is shown without a host. It is verified first, unless it is a file of lines, which cannot be verified. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { LinesReader, type LogVerdict, type ReplayReader } from "@femtoclaw/journal";
import { EXIT, FemtoError } from "@femtoclaw/protocol";
import { exitOf, fileText } from "../commands/audit/audit.ts";
import type { CommandContext } from "../commands/command-context.ts";
import { openVerifiedLog } from "../log/verified-log.ts";
import {
  type KnownRecording,
  RecordedInspection,
  unverifiedRecording,
  verifiedRecording,
} from "./recorded-inspection.ts";

export interface Recording extends AsyncDisposable {
  /** Null if the log must not be shown. */
  readonly shown: {
    readonly inspection: RecordedInspection;
    readonly reader: ReplayReader;
    readonly known: KnownRecording;
  } | null;
  /** The verdict of the verification; null for a file of lines. */
  readonly verdict: LogVerdict | null;
  readonly exit: number;
}

/** Opens the configured log, an export, a state directory or a file of lines; `key` names a file with a public key. */
export async function openRecording(
  context: CommandContext,
  path: string | undefined,
  key: string | undefined,
): Promise<Recording> {
  if (path !== undefined && statSync(resolve(context.cwd, path), { throwIfNoEntry: false })?.isFile() === true) {
    return await openLines(context, resolve(context.cwd, path), key);
  }
  await using stack = new AsyncDisposableStack();
  const log = stack.use(await openVerifiedLog(context, path, key === undefined ? undefined : fileText(key)));
  const { verdict } = log;
  const exit = exitOf(verdict, []);
  const known = verifiedRecording(verdict);
  const reader = canBeShown(verdict) ? await log.reader() : null;
  const owned = stack.move();
  return {
    shown: reader === null ? null : { inspection: new RecordedInspection(context, reader, known), reader, known },
    verdict,
    exit,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function openLines(context: CommandContext, path: string, key: string | undefined): Promise<Recording> {
  if (key !== undefined) {
    throw new FemtoError("FEMTO_USAGE", "a file of lines is signed by nobody, so no key can say anything of it");
  }
  const reader = await LinesReader.open(path);
  const known = await unverifiedRecording(reader);
  for (const caveat of known.verdict.caveats) context.output.talk(`not verified: ${caveat}`);
  return {
    shown: { inspection: new RecordedInspection(context, reader, known), reader, known },
    verdict: null,
    exit: EXIT.incomplete,
    [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
  };
}

/** An incomplete log is shown and marked as such. A log that was tampered with is evidence, not history. */
function canBeShown({ verdict, pinned }: LogVerdict): boolean {
  return (verdict === "verified" || verdict === "incomplete") && pinned !== "differs";
}
