/** `chat`: a person talks to a model, and the running host stands between the model and the machine. */
import { Agent, type Stop } from "@femtoclaw/agent";
import { EXIT, FemtoError } from "@femtoclaw/protocol";
import type { ChatSetting } from "@femtoclaw/runtime/configuration";
import { ChatHost } from "../chat/chat-host.ts";
import { chatModel, type ModelOptions } from "../chat/chat-model.ts";
import { type Person, spokenOnce, TerminalPerson } from "../chat/person.ts";
import { jsonTranscript, ScreenTranscript, type Transcript } from "../chat/transcript.ts";
import { startingConnect } from "../mcp/starting-connect.ts";
import { countText } from "../terminal/count-text.ts";
import { type CommandContext, knownAgent } from "./command-context.ts";

/** LIMIT: characters of one input to the model. More would not fit into any context that can be configured. */
const SAID_CHARS_MAX = 10_000_000;

const PROMPT = "› ";

export interface ChatOptions extends ModelOptions {
  readonly agent?: string;
  readonly wait?: number;
}

export async function chat(context: CommandContext, said: string | undefined, options: ChatOptions): Promise<number> {
  const { output, cwd, environment } = context;
  const loaded = context.load();
  const { agent: name, wait, ...modelOptions } = options;
  const setting = loaded.resolved.chat;
  const { model, about } = await chatModel(modelOptions, setting, { cwd, environment });
  if (name !== undefined) knownAgent(loaded, name);
  // The SDK warns about oddities of providers, which the person here can do nothing about.
  Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });
  const agent = new Agent({ model, ...limitsOf(setting), ...(wait === undefined ? {} : { waitMs: wait }) });
  await using host = new ChatHost(startingConnect(context, loaded, name));
  const { length: tools } = await host.tools();
  const isScreen = said === undefined && process.stdin.isTTY && process.stderr.isTTY;
  if (isScreen && output.json) {
    throw new FemtoError("FEMTO_USAGE", "--json needs something that is said, as an argument or on stdin");
  }
  if (isScreen) {
    output.talk(`${output.style("bold", "FemtoClaw chat")}  with ${about}`);
    output.talk(
      output.style(
        "dim",
        `  ${countText(tools, "tool")}, each call decided by the policy and recorded · ^C ends a turn, ^D the chat`,
      ),
    );
  }
  using person = isScreen ? terminalPerson() : spokenOnce(said ?? (await readStdin()));
  return await converse({ agent, host, person, transcript: () => transcriptOf(context), isScreen, context });
}

interface Chat {
  readonly agent: Agent;
  readonly host: ChatHost;
  readonly person: Person;
  transcript(): Transcript;
  /** Whether somebody sits at a terminal who can continue after a turn that went wrong. */
  readonly isScreen: boolean;
  readonly context: CommandContext;
}

/** Takes turns until nothing more is said. Without a terminal, the exit code tells how the last turn ended. */
async function converse({ agent, host, person, transcript, isScreen, context: { output } }: Chat): Promise<number> {
  let exit: number = EXIT.ok;
  for (;;) {
    if (isScreen) output.talk("");
    const said = await person.says();
    if (said === null) return isScreen ? EXIT.ok : exit;
    if (said.trim() === "") continue;
    const startMs = performance.now();
    using turn = person.turn();
    const shown = transcript();
    const end = await agent.turn(host, said.slice(0, SAID_CHARS_MAX), {
      signal: turn.signal,
      onEvent: (event) => shown.onEvent(event),
    });
    shown.ended(end, performance.now() - startMs);
    exit = exitOf(end.stop);
  }
}

function exitOf({ kind }: Stop): number {
  if (kind === "answered") return EXIT.ok;
  return kind === "host" ? EXIT.unavailable : EXIT.no;
}

function transcriptOf({ output }: CommandContext): Transcript {
  return output.json ? jsonTranscript(output) : new ScreenTranscript(output);
}

function terminalPerson(): TerminalPerson {
  return new TerminalPerson(PROMPT, () => {
    process.stderr.write("\n");
    process.exit(EXIT.no);
  });
}

function limitsOf(setting: ChatSetting | undefined): Omit<ConstructorParameters<typeof Agent>[0], "model"> {
  const { context_chars, answer_tokens, wait_ms, turn_calls, turn_tokens, turn_ms } = setting ?? {};
  return {
    ...(context_chars === undefined ? {} : { contextChars: context_chars }),
    ...(answer_tokens === undefined ? {} : { answerTokens: answer_tokens }),
    ...(wait_ms === undefined ? {} : { waitMs: wait_ms }),
    budget: {
      ...(turn_calls === undefined ? {} : { calls: turn_calls }),
      ...(turn_tokens === undefined ? {} : { tokens: turn_tokens }),
      ...(turn_ms === undefined ? {} : { ms: turn_ms }),
    },
  };
}

async function readStdin(): Promise<string> {
  let text = "";
  for await (const chunk of process.stdin.setEncoding("utf8")) {
    text += String(chunk);
    if (text.length > SAID_CHARS_MAX) {
      throw new FemtoError("FEMTO_USAGE", `more than ${SAID_CHARS_MAX} characters were said at once`);
    }
  }
  return text;
}
