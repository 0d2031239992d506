/** `terminal`: operators list the terminals that agents have opened, watch them, and export their recordings. */
import { Buffer } from "node:buffer";
import { closeSync, openSync, rmSync, writeFileSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";
import type { OperatorClient } from "@femtoclaw/client";
import { EXIT, printable, type RecordingPage, systemErrorCode, type TerminalStatus } from "@femtoclaw/protocol";
import { executionNamed, recordingPage } from "@femtoclaw/runtime";
import { readJournal } from "../log/read-journal.ts";
import { unwritten } from "../new-file.ts";
import { Asciicast } from "../terminal/asciicast.ts";
import { SCREEN_RESTORED, ScreenFilter } from "../terminal/screen-filter.ts";
import { table } from "../terminal/table.ts";
import type { CommandContext } from "./command-context.ts";
import { hostAnswers } from "./host/host.ts";
import { unreachedPlace } from "./unreached-place.ts";

export async function listTerminals(context: CommandContext): Promise<number> {
  const { output } = context;
  await using operator = await context.operator();
  const terminals = await operator.terminals();
  if (output.json) {
    output.value(terminals);
    return EXIT.ok;
  }
  if (terminals.length === 0) {
    output.talk("no terminal is open; one that has ended is known by its terminal_open in `femtoclaw executions list`");
    return EXIT.ok;
  }
  const header = ["id", "program", "size", "state", "in", "out", "opened (UTC)"].map((name) =>
    output.style("dim", name),
  );
  const rows = terminals.map((terminal) => [
    output.style("bold", terminal.id),
    printable(terminal.program, 60),
    `${terminal.cols}x${terminal.rows}`,
    stateOf(terminal),
    String(terminal.bytes_in),
    String(terminal.bytes_out),
    terminal.opened_at.slice(0, 19).replace("T", " "),
  ]);
  for (const line of table([header, ...rows])) output.line(line);
  return EXIT.ok;
}

function stateOf({ running, exit_code, signal, idle_ms }: TerminalStatus): string {
  if (running) return `running, used ${Math.round(idle_ms / 1_000)} s ago`;
  return exit_code === null ? `ended by ${signal ?? "nobody knows what"}` : `ended with ${exit_code}`;
}

/** How long one request to the host waits for more output. */
const WAIT_MS = 1_000;
/** Ctrl-], Ctrl-C and Ctrl-D. Any other key is ignored. */
const DETACH = ["\u001d", "\u0003", "\u0004"];

/**
 * Read-only, because what an operator types would reach the program as if the agent had typed it, without a decision or
 * a record.
 */
export async function attachTerminal(context: CommandContext, id: string): Promise<number> {
  const { output } = context;
  await using operator = await context.operator();
  await operator.watchTerminal(id, 0, 0);
  output.talk(`watching ${printable(id, 64)}; Ctrl-] ends that`);
  using keys = new DetachKeys();
  try {
    await followTerminal(operator, id, keys);
  } finally {
    if (process.stdout.isTTY) process.stdout.write(SCREEN_RESTORED);
  }
  output.talk(keys.isPressed ? "detached; the terminal goes on" : "the terminal has ended");
  return EXIT.ok;
}

async function followTerminal(operator: OperatorClient, id: string, keys: DetachKeys): Promise<void> {
  const filter = new ScreenFilter();
  const decoder = new StringDecoder("utf8");
  for (let from = 0; !keys.isPressed; ) {
    const answer = await Promise.race([operator.watchTerminal(id, from, WAIT_MS), keys.pressed]);
    if (answer === undefined) return;
    const drawn = filter.pass(decoder.write(Buffer.from(answer.data, "base64")));
    if (drawn !== "" && !process.stdout.write(drawn)) await Promise.race([drained(), keys.pressed]);
    from = answer.next;
    if (!answer.running && answer.data === "") return;
  }
}

const drained = (): Promise<void> => new Promise((done) => process.stdout.once("drain", () => done()));

/** Reads all keys itself, so that none of them is echoed over what is watched. */
class DetachKeys implements Disposable {
  readonly pressed: Promise<undefined>;
  isPressed = false;
  readonly #stop: () => void;

  constructor() {
    const { promise, resolve: press } = Promise.withResolvers<undefined>();
    this.pressed = promise;
    const detach = (): void => {
      this.isPressed = true;
      press(undefined);
    };
    const { stdin } = process;
    const onKeys = (typed: Buffer): void => {
      if (DETACH.some((key) => typed.includes(key))) detach();
    };
    if (stdin.isTTY) stdin.setRawMode(true).on("data", onKeys).resume();
    process.once("SIGINT", detach);
    this.#stop = () => {
      process.off("SIGINT", detach);
      if (stdin.isTTY) stdin.off("data", onKeys).setRawMode(false).pause();
    };
  }

  [Symbol.dispose](): void {
    this.#stop();
  }
}

export async function exportTerminal(
  context: CommandContext,
  id: string,
  { out }: { readonly out?: string },
): Promise<number> {
  const { output } = context;
  const file = out === undefined ? null : unreachedPlace(context, out);
  await using source = await recordingOf(context);
  // The first page is fetched before the file is created, so that none is created for an unknown terminal.
  const first = await source.page(id, null);
  const sink = file === null ? null : new NewFile(file);
  const cast = new Asciicast();
  let events = 0;
  try {
    for (let page = first; ; page = await source.page(id, page.next)) {
      const lines = page.records.flatMap((record) => cast.linesOf(record));
      events += lines.length;
      for (const line of lines) {
        if (sink === null) output.line(line);
        else sink.line(line);
      }
      if (page.next === null) break;
    }
  } catch (error) {
    sink?.discard();
    throw error;
  } finally {
    sink?.close();
  }
  if (out !== undefined) output.talk(`${events} lines written to ${printable(out, 4_096)}`);
  return EXIT.ok;
}

interface RecordingSource extends AsyncDisposable {
  page(id: string, from: number | null): Promise<RecordingPage>;
}

async function recordingOf(context: CommandContext): Promise<RecordingSource> {
  if (await hostAnswers(context)) {
    const operator = await context.operator();
    return {
      page: async (id, from) => await operator.terminalRecording(id, from),
      [Symbol.asyncDispose]: () => operator.close(),
    };
  }
  const journal = await readJournal(context.load().resolved.stateDirectory);
  return {
    page: async (ref, from) => recordingPage(journal.reader, await executionNamed(journal.reader, ref), from),
    [Symbol.asyncDispose]: () => journal[Symbol.asyncDispose](),
  };
}

/** A file that must not exist yet. Throws FEMTO_EXPORT_FAILED if it cannot be created or written. */
class NewFile {
  readonly #path: string;
  readonly #descriptor: number;

  constructor(path: string) {
    this.#path = path;
    this.#descriptor = this.#written(() => openSync(path, "wx", 0o600));
  }

  line(text: string): void {
    this.#written(() => writeFileSync(this.#descriptor, `${text}\n`));
  }

  discard(): void {
    rmSync(this.#path, { force: true });
  }

  #written<T>(write: () => T): T {
    try {
      return write();
    } catch (error) {
      const code = systemErrorCode(error) ?? "unknown cause";
      throw unwritten(this.#path, code === "EEXIST" ? "is there already" : `cannot be written (${code})`);
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
