/** `call` and `send`: propose from the command line, through the running host or embedded. */
import { Buffer } from "node:buffer";
import type { ProposeOptions } from "@femtoclaw/client";
import {
  EXIT,
  FemtoError,
  LIMITS,
  LineSplitter,
  type OutputPart,
  printable,
  type Reply,
  traceContext,
} from "@femtoclaw/protocol";
import { proposeInSession } from "../../launch/propose-in-session.ts";
import { LiveLine, whileWaiting } from "../../terminal/live-line.ts";
import { LiveText } from "../../terminal/live-text.ts";
import { logToStderr } from "../../terminal/log.ts";
import type { Output } from "../../terminal/output.ts";
import { exitOf, replyLines } from "../../terminal/reply-text.ts";
import { type CommandContext, knownAgent } from "../command-context.ts";
import { within } from "./within.ts";

interface Proposer extends AsyncDisposable {
  readonly concurrency: number;
  propose(message: Uint8Array, options: Pick<ProposeOptions, "label" | "trace" | "onOutput">): Promise<Reply>;
  wait(execution: string): Promise<Reply>;
  output(execution: string): AsyncIterable<OutputPart>;
}

export interface ProposerOptions {
  /** An agent that the configuration has tables for. */
  readonly agent?: string;
  readonly embedded?: boolean;
}

export interface CallOptions extends ProposerOptions {
  readonly timeout?: number;
  readonly label?: string;
  readonly traceparent?: string;
  readonly tracestate?: string;
  /** Show what the program of the call writes while it runs. */
  readonly stream?: boolean;
}

export async function call(
  context: CommandContext,
  tool: string,
  argsText: string | undefined,
  options: CallOptions,
): Promise<number> {
  const args = argsText === "-" ? await readStdin() : Buffer.from(argsText ?? "{}");
  // The arguments go in as they were written, so that the host judges them and not what a parser here made of them.
  const message = Buffer.concat([
    Buffer.from(`{"tool_call":{"tool":${JSON.stringify(tool)},"args":`),
    args,
    Buffer.from("}}"),
  ]);
  await using proposer = await proposerOf(context, options);
  const label = options.label === undefined ? {} : { label: options.label };
  const trace = { traceparent: options.traceparent, tracestate: options.tracestate };
  for (const name of traceContext(trace)?.ignored ?? []) {
    context.output.talk(`--${name} is not of the form of W3C Trace Context, and is ignored`);
  }
  const { timeout } = options;
  const startMs = performance.now();
  using line = new LiveLine(context.options);
  const stream = options.stream === true ? new ShownOutput(context, line) : null;
  const first = await whileWaiting(
    within(proposer.propose(message, { ...label, trace, ...stream?.listening }), timeout),
    `${printable(tool, 40)} runs`,
    line,
  );
  const isAsked = first?.approval !== undefined && timeout !== undefined;
  const leftMs = (timeout ?? 0) - (performance.now() - startMs);
  // The time that `--timeout` leaves is spent on waiting for the operator. Without an answer in time, the call stays
  // pending.
  const waited = async (): Promise<Reply> => {
    const told = stream?.follow(proposer.output(first?.execution_id ?? ""));
    const answer = await proposer.wait(first?.execution_id ?? "");
    await told;
    return answer;
  };
  const ended =
    isAsked && leftMs >= 1 ? await whileWaiting(within(waited(), leftMs), "an operator is asked", line) : null;
  stream?.end();
  const reply = ended ?? first;
  if (reply === null) {
    context.output.talk(
      `no answer within ${options.timeout} ms; the call continues; \`femtoclaw executions list\` shows it`,
    );
    if (context.output.json) context.output.value(null);
    return EXIT.pending;
  }
  if (context.output.json) context.output.value(reply);
  else for (const line of replyLines(stream?.without(reply) ?? reply, context.output)) context.output.line(line);
  return exitOf(reply);
}

/**
 * Shows what a program writes while the reply is awaited: to people on stderr, to programs as JSON values before the
 * reply.
 */
class ShownOutput {
  readonly #output: Output;
  readonly #line: LiveLine;
  readonly #text = new LiveText();
  readonly listening = { onOutput: (part: OutputPart): void => this.#show(part) };

  constructor({ output }: CommandContext, line: LiveLine) {
    this.#output = output;
    this.#line = line;
  }

  async follow(output: AsyncIterable<OutputPart>): Promise<void> {
    try {
      for await (const part of output) this.#show(part);
    } catch (error) {
      // The reply tells the outcome even if the output cannot be shown.
      if (!(error instanceof FemtoError)) throw error;
    }
  }

  end(): void {
    this.#say(this.#text.end());
  }

  /** Leaves out output that was already shown completely on this terminal. */
  without(reply: Reply): Reply {
    const { result } = reply;
    if (result === undefined || !this.#line.isSeen || !this.#text.isAllOf(result)) return reply;
    return { ...reply, result: { ...result, stdout: "", stderr: "" } };
  }

  #show(part: OutputPart): void {
    if (this.#output.json) this.#output.value({ output: part });
    else this.#say(this.#text.lines(part));
  }

  #say(lines: readonly string[]): void {
    if (lines.length > 0) this.#line.above(() => lines.map((text) => this.#output.talk(`  ${text}`)));
  }
}

/** LIMIT: bytes of one line of input that are held; the host refuses what is longer than a message anyway. */
const LINE_BYTES_MAX = LIMITS.messageBytes;

/**
 * Proposes one message per line, up to `concurrency` of them at once, and prints the replies in the order of the
 * messages.
 */
export async function send(context: CommandContext, options: ProposerOptions): Promise<number> {
  await using proposer = await proposerOf(context, options);
  if (process.stdin.isTTY) context.output.talk("one message a line, such as `femtoclaw send --help` shows, until ^D");
  const pending: Promise<void>[] = [];
  let printed: Promise<void> = Promise.resolve();
  for await (const line of linesOf(process.stdin)) {
    while (pending.length >= proposer.concurrency) await pending.shift();
    const reply = proposer.propose(line, {});
    printed = Promise.all([printed, reply]).then(([, answered]) => context.output.value(answered));
    // Without a host, there is no reason to wait for more on stdin.
    printed.catch((error: unknown) => process.stdin.destroy(error instanceof Error ? error : undefined));
    pending.push(printed);
  }
  await printed;
  return EXIT.ok;
}

/** Yields every line, even an empty one, so that there are as many replies as lines. */
async function* linesOf(input: NodeJS.ReadableStream): AsyncGenerator<Buffer> {
  let whole: Buffer[] = [];
  const lines = new LineSplitter(LINE_BYTES_MAX, {
    onLine: (line) => whole.push(line),
    // One byte beyond the limit is enough for the host to refuse the message and to record the refusal.
    onTooLong: () => whole.push(Buffer.alloc(LIMITS.messageBytes + 1, "x")),
  });
  for await (const chunk of input) {
    lines.push(chunk as Buffer);
    yield* whole;
    whole = [];
  }
  lines.end();
  yield* whole;
}

async function proposerOf(context: CommandContext, options: CallOptions): Promise<Proposer> {
  const { agent, embedded = false, timeout } = options;
  const loaded = context.load();
  const { concurrency } = loaded.resolved.limits;
  if (!embedded) {
    const silent = timeout === undefined ? {} : { silentMs: timeout };
    const client = await context.agent(loaded, { ...(agent === undefined ? {} : { agent }), ...silent });
    return {
      concurrency,
      propose: (message, options) => client.propose(message, options),
      wait: (execution) => client.wait(execution),
      output: (execution) => client.output(execution),
      [Symbol.asyncDispose]: () => client.close(),
    };
  }
  const principal = agent === undefined ? {} : { principal: knownAgent(loaded, agent) };
  const { rememberLog, startRuntime } = await import("../../process/host-runtime.ts");
  const log = logToStderr("warn");
  const runtime = await startRuntime(loaded, log);
  await rememberLog(loaded.resolved.stateDirectory, runtime, log);
  const session = runtime.openSession({ channel: "library", label: "femtoclaw --embedded", ...principal });
  return {
    concurrency,
    propose: (message, options) => proposeInSession(session, message, options),
    wait: (execution) => session.wait(execution),
    output: (execution) => session.outputs.follow(execution),
    [Symbol.asyncDispose]: () => runtime.close(),
  };
}

async function readStdin(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin) {
    bytes += (chunk as Buffer).byteLength;
    if (bytes > LIMITS.messageBytes) {
      throw new FemtoError("FEMTO_PROTOCOL_TOO_LARGE", `the arguments are longer than ${LIMITS.messageBytes} bytes`);
    }
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}
