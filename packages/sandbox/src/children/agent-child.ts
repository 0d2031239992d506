/**
 * Starts an agent inside the sandbox, on pipes or on a terminal. A relay is its only way out. The agent runs until it
 * exits by itself or is ended together with everything it started. Call this from the main thread: bubblewrap dies with
 * the thread that started it.
 */
import type { IOType } from "node:child_process";
import type { Duplex, Readable, Writable } from "node:stream";
import { FemtoError, LIMITS, printable, systemErrorCode } from "@femtoclaw/protocol";
import { relayProgram } from "#relay-program";
import {
  AGENT_DESCRIPTORS,
  BEGIN_DESCRIPTOR,
  HANDED_DESCRIPTOR,
  RELAY_DESCRIPTOR,
  type SandboxCommand,
} from "../bubblewrap.ts";
import { OF_AGENT, RelayChannel } from "../relay/relay-channel.ts";
import { RELAY_FOLDER, variablesFile } from "../relay/relay-command.ts";
import type { SpawnedProcess } from "../spawning/spawned-process.ts";
import { type AgentSettings, withAgentSettings } from "../views/agent-settings.ts";
import { currentView } from "../views/current-view.ts";
import type { SandboxView } from "../views/view.ts";
import { BoundChild } from "./bound-child.ts";
import type { ChildLimits } from "./child-limits.ts";
import { childStart } from "./child-start.ts";
import { endOf, type TerminalEnd } from "./terminal-child.ts";

export interface AgentStart {
  readonly view: SandboxView;
  readonly command: SandboxCommand;
  readonly limits: ChildLimits;
  /** Variables for this agent alone. INVARIANT: I10: they stand on no command line. */
  readonly variables: Readonly<Record<string, string>>;
  readonly settings: AgentSettings;
  /** Descriptor of the agent's own terminal, closed by the code that opened it; null if the agent gets pipes. */
  readonly device: number | null;
  /** Serves each connection that the agent opens. */
  onConnection(connection: Duplex): void;
}

/** What the agent reads and writes when it has no terminal. */
export interface AgentPipes {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
}

export class AgentChild {
  /** Resolves once the agent runs; rejects with FEMTO_SANDBOX_UNAVAILABLE if it was not started. */
  readonly started: Promise<void>;
  /** Resolves when none of its processes runs any more and its pipes were read to their ends. */
  readonly ended: Promise<TerminalEnd>;
  readonly #bound: BoundChild;
  readonly #child: SpawnedProcess;
  readonly #started = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<TerminalEnd>();
  #relay: RelayChannel | null = null;
  #killTimer: NodeJS.Timeout | null = null;

  /**
   * Throws FEMTO_SANDBOX_UNAVAILABLE if the program would not be visible, FEMTO_OS_REFUSED if the arguments are too
   * long.
   */
  constructor(start: AgentStart) {
    this.started = this.#started.promise;
    this.ended = this.#ended.promise;
    // A caller that waits for `ended` alone learns of a failed start there, so this rejection may go unhandled.
    this.started.catch(() => undefined);
    const { children } = start.view;
    const view = children.begin(start.view, currentView);
    void this.ended.then(() => children.end());
    try {
      this.#bound = spawned(view, start);
      this.#child = this.#bound.process;
    } catch (error) {
      this.#ended.resolve({ exitCode: null, signal: null });
      throw error;
    }
    this.#bound.started.then(this.#started.resolve, this.#started.reject);
    this.#child.on("error", (error) => this.#end(systemErrorCode(error) ?? error.message));
    // If no descriptors were left for the child, Node made no streams either.
    if (this.#child.pid !== undefined) this.#connect(start);
  }

  /** Null if the agent has a terminal or was not started. */
  get pipes(): AgentPipes | null {
    const { stdin, stdout, stderr } = this.#child;
    return stdin === null || stdout === null || stderr === null ? null : { stdin, stdout, stderr };
  }

  /** Asks the agent to exit, and kills it with everything it started if it has not done so after the grace time. */
  end(): void {
    if (!this.#bound.signal("SIGTERM")) return this.kill();
    this.#killTimer ??= setTimeout(() => this.kill(), LIMITS.graceMs);
  }

  kill(): void {
    this.#bound.kill();
    // A stream that nobody reads any more must not delay the `close` event.
    for (const stream of [this.#child.stdin, this.#child.stdout, this.#child.stderr]) stream?.destroy();
  }

  #connect({ variables, settings, onConnection }: AgentStart): void {
    const stdio = this.#child.stdio as readonly (Duplex | Readable | Writable | null | undefined)[];
    const told = [
      ...settings.files.map(({ content }, index) => [HANDED_DESCRIPTOR + index, content] as const),
      [AGENT_DESCRIPTORS.door, relayProgram(RELAY_FOLDER).door.script],
      [AGENT_DESCRIPTORS.variables, variablesFile(variables)],
    ] as const;
    for (const [descriptor, content] of told) (stdio[descriptor] as Writable | null | undefined)?.end(content);
    const relayed = stdio[RELAY_DESCRIPTOR] as Duplex | null | undefined;
    if (relayed) this.#relay = new RelayChannel(relayed, onConnection, OF_AGENT);
    this.#child.on("close", () => this.#end("it gave no reason"));
  }

  #end(reason: string): void {
    if (this.#killTimer !== null) clearTimeout(this.#killTimer);
    this.#relay?.destroy();
    this.#started.reject(
      new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", `bubblewrap did not start the agent: ${printable(reason, 300)}`),
    );
    this.#ended.resolve(endOf(this.#bound));
  }
}

function spawned(standing: SandboxView, { command, limits, device, settings }: AgentStart): BoundChild {
  const shown = withAgentSettings(standing, command, settings);
  // An agent can write to nothing on this machine, so no path has to be kept from its writing in particular.
  const view = { ...shown, kept: { ...shown.kept, unwritten: [] } };
  const { files, tunnel } = settings;
  const agent = { ...command, isAgent: true, ...(tunnel === null ? {} : { tunnel }) };
  const start = childStart(view, agent, limits, device !== null, relayProgram(RELAY_FOLDER));
  const own: IOType | number = device ?? "pipe";
  const pipes = AGENT_DESCRIPTORS.variables - BEGIN_DESCRIPTOR;
  // The agent is detached from the terminal of the user who runs the host: an interrupt typed there is for the host alone.
  const bound = new BoundChild(view, start, limits, [own, own, own], { detached: true, pipes, handed: files.length });
  bound.begin(start);
  bound.release();
  return bound;
}
