/** `inspect`: the journal as a local page, live or from a recording, and as one file for somebody else. */
import { type Explained, exportedPage, type Inspection, serveInspector } from "@femtoclaw/inspector";
import { EXIT, FemtoError, printable, systemErrorCode, type TypedRecord } from "@femtoclaw/protocol";
import { FollowedHost } from "../inspect/followed-host.ts";
import { writeFrames } from "../inspect/frame-lines.ts";
import { LiveInspection } from "../inspect/live-inspection.ts";
import { openInBrowser } from "../inspect/open-in-browser.ts";
import { openRecording, type Recording } from "../inspect/recording.ts";
import { writeNew } from "../new-file.ts";
import { verdictLines } from "./audit/audit.ts";
import type { CommandContext } from "./command-context.ts";
import { unreachedPlace } from "./unreached-place.ts";

export interface InspectOptions {
  readonly open?: boolean;
  readonly approve?: boolean;
  /** Write frames as lines instead of serving a page. */
  readonly frames?: boolean;
  /** The first record whose frames are written. */
  readonly from?: number;
  readonly key?: string;
}

export async function inspect(
  context: CommandContext,
  path: string | undefined,
  options: InspectOptions,
): Promise<number> {
  if (path !== undefined) return await inspectRecording(context, path, options);
  // What the configuration says meanwhile is for the next command. A host is looked for where this one ran.
  const loaded = context.load();
  const talk = (text: string): void => context.output.talk(text);
  await using host = await FollowedHost.begin({ connect: () => context.operator(loaded), talk });
  const inspection = new LiveInspection(context, host, { approve: options.approve === true });
  await served(context, inspection, options, options.frames === true ? framesEnd(host) : host.follow());
  return EXIT.ok;
}

/** A program that reads frames must not take the end of the host for a pause, so its lines end, too. */
async function framesEnd({ operator }: FollowedHost): Promise<never> {
  await operator.closed;
  throw new FemtoError("FEMTO_HOST_NOT_RUNNING", "the host has ended, and the frames with it", {
    fix: "Start the host with `femtoclaw up --detach`, and run this again. `--from` says with which record to go on.",
  });
}

async function inspectRecording(context: CommandContext, path: string, options: InspectOptions): Promise<number> {
  if (options.approve === true) throw new FemtoError("FEMTO_USAGE", "nothing is asked in a recording");
  await using recording = await openRecording(context, path, options.key);
  if (recording.shown === null) return refused(context, recording);
  await served(context, recording.shown.inspection, options, new Promise(() => undefined));
  return recording.exit;
}

function refused({ output }: CommandContext, { verdict, exit }: Recording): number {
  if (verdict === null) return exit;
  if (output.json) output.value({ verdict: verdict.verdict, log: verdict });
  else for (const line of verdictLines(verdict, [], output)) output.prose(line);
  return exit;
}

/** Shows the inspection until a signal stops it, or until what is shown has ended. */
async function served<End>(
  context: CommandContext,
  inspection: Inspection,
  options: InspectOptions,
  ended: Promise<End>,
): Promise<End | "stopped"> {
  if (options.frames === true) return await framed(inspection, options, ended);
  const { output, environment } = context;
  await using server = await serveInspector(inspection);
  if (output.json) output.value({ event: "ready", url: server.url, pid: process.pid });
  else {
    output.line(server.url);
    output.talk("the address opens once; Ctrl-C ends the page");
  }
  await using stack = new AsyncDisposableStack();
  if (options.open === true) stack.use(await openInBrowser(server.url, environment));
  return await Promise.race([ended, stopped()]);
}

async function framed<End>(
  inspection: Inspection,
  { from }: InspectOptions,
  ended: Promise<End>,
): Promise<End | "stopped"> {
  const over = new AbortController();
  const range = from === undefined ? {} : { from };
  const written = writeFrames(inspection, process.stdout, { ...range, ended: over.signal })
    .catch((error: unknown) => {
      // A reader such as `head` has gone away, so there is nobody left to write for.
      if (systemErrorCode(error) !== "EPIPE") throw error;
    })
    .then(() => "stopped" as const);
  const why = await Promise.race([written, ended, stopped()]);
  over.abort();
  return why;
}

function stopped(): Promise<"stopped"> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => resolve("stopped"));
  });
}

export interface InspectExportOptions {
  readonly html: string;
  readonly key?: string;
}

/** Exports the configured log, or a recording. */
export async function exportInspection(
  context: CommandContext,
  path: string | undefined,
  options: InspectExportOptions,
): Promise<number> {
  const file = unreachedPlace(context, options.html);
  await using recording = await openRecording(context, path, options.key);
  if (recording.shown === null) return refused(context, recording);
  const { inspection, reader, known } = recording.shown;
  const beginning = await inspection.begin();
  const records: TypedRecord[] = [];
  for await (const record of reader.read(beginning.summary?.size ?? 0, reader.size)) records.push(record);
  const explanations = await explanationsOf(inspection, records);
  await writeNew(file, exportedPage({ beginning: { ...beginning, mode: "file" }, records, explanations }));
  const { verdict } = known.verdict;
  if (context.output.json) context.output.value({ file, records: records.length, verdict });
  else context.output.line(`${records.length} records in ${printable(file, 4_096)}`);
  return recording.exit;
}

/** LIMIT: denials that are explained in a file, the newest ones. Each has to be decided again for this. */
const EXPLAINED_MAX = 24;

async function explanationsOf(
  inspection: Inspection,
  records: readonly TypedRecord[],
): Promise<Record<string, Explained>> {
  const denied = records.filter((record) => record.type === "execution.refused" && record.body.facts !== null);
  const found: Record<string, Explained> = {};
  for (const { seq } of denied.slice(-EXPLAINED_MAX)) {
    const explanation = await inspection.explain(String(seq));
    if (explanation !== null) found[seq] = explanation;
  }
  return found;
}
