/** What every command gets: the global options, the configuration on demand, and a way to print. */
import { statSync } from "node:fs";
import { AgentClient, type AgentOptions, LogMemory, OperatorClient } from "@femtoclaw/client";
import { FemtoError, printable, systemErrorCode } from "@femtoclaw/protocol";
import { type LoadedConfiguration, loadConfiguration } from "../configuration/load-configuration.ts";
import type { HostPlace } from "../configuration/started-hosts.ts";
import { assertPrivateSocketFolder } from "../endpoints/socket-directory.ts";
import { makeOutput, type Output } from "../terminal/output.ts";

export interface GlobalOptions {
  readonly config?: string;
  readonly state?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export class CommandContext {
  readonly options: GlobalOptions;
  readonly output: Output;
  readonly environment: NodeJS.ProcessEnv;

  constructor(options: GlobalOptions, environment: NodeJS.ProcessEnv = process.env) {
    this.options = options;
    this.environment = environment;
    this.output = makeOutput({ json: options.json ?? false, quiet: options.quiet ?? false });
  }

  /** Throws FEMTO_SURROUNDINGS if the current folder no longer exists, or if its path does not lead back to it. */
  get cwd(): string {
    const reason = "the current folder cannot be used";
    try {
      const path = process.cwd();
      if (isSameFolder(path, ".")) return path;
    } catch (error) {
      const fix =
        "It was removed, or you may not enter it. Change to another folder with `cd`, and run the command again.";
      throw new FemtoError("FEMTO_SURROUNDINGS", `${reason} (${systemErrorCode(error) ?? "unknown"})`, {
        fix,
        cause: error,
      });
    }
    // Node.js replaces bytes of the path that are not UTF-8 by other characters. The result names another folder,
    // perhaps somebody else's.
    throw new FemtoError("FEMTO_SURROUNDINGS", `${reason}: its name leads to another folder, or to none`, {
      fix: "If a name in its path is not UTF-8, rename it. If something was mounted over it, enter it again. Or run the command from another folder.",
    });
  }

  /** Locates, checks and resolves the configuration. Errors say where the fault is and how to fix it. */
  load(): LoadedConfiguration {
    return loadConfiguration({
      cwd: this.cwd,
      environment: this.environment,
      configFlag: this.options.config,
      stateFlag: this.options.state,
    });
  }

  /** `options.agent` names an agent with tables in the configuration. Without it, the agent is one like any other. */
  async agent(loaded = this.load(), options: AgentOptions = {}): Promise<AgentClient> {
    if (options.agent !== undefined) knownAgent(loaded, options.agent);
    return await AgentClient.connect(await this.#socketsOf(loaded), this.logMemory(loaded), options);
  }

  async operator(loaded = this.load()): Promise<OperatorClient> {
    return await OperatorClient.connect(await this.#socketsOf(loaded), this.logMemory(loaded));
  }

  /**
   * For looking at a host or stopping it, even if its log does not fit what was seen of it before; with `ofAnyState` also
   * if it keeps its state elsewhere than the configuration says.
   */
  async unprovedOperator(host: Placed = this.load(), { ofAnyState = false } = {}): Promise<OperatorClient> {
    return await OperatorClient.connectUnproved(await this.#socketsOf(host, ofAnyState));
  }

  /** INVARIANT: I8: commands send nothing to a socket that another user could have put there. */
  async #socketsOf({ resolved }: Placed, ofAnyState = false): Promise<string> {
    assertPrivateSocketFolder(resolved.runtimeDirectory);
    if (ofAnyState) return resolved.runtimeDirectory;
    // A host loads this module too, and asks no other one.
    const { refuseForeignHost } = await import("../configuration/answering-host.ts");
    await refuseForeignHost(this.environment, resolved);
    return resolved.runtimeDirectory;
  }

  /** What commands and the host itself have seen of the log in this state directory. */
  logMemory({ resolved }: Placed): LogMemory {
    return this.logMemoryAt(resolved.stateDirectory);
  }

  logMemoryAt(place: string): LogMemory {
    return new LogMemory({
      environment: this.environment,
      place,
      warn: (reason) => this.output.talk(printable(reason, 4_096)),
    });
  }
}

/** A configuration, or the only thing known about one: the place of its host. */
export interface Placed {
  readonly resolved: HostPlace;
}

function isSameFolder(path: string, other: string): boolean {
  const one = statSync(path, { throwIfNoEntry: false, bigint: true });
  const two = statSync(other, { bigint: true });
  return one !== undefined && one.dev === two.dev && one.ino === two.ino;
}

/** Runs what a command line asks for. The number that the action returns becomes the exit code of the process. */
export type Runner = (action: (context: CommandContext) => Promise<number> | number) => Promise<void>;

/** Returns the name of an agent that the configuration has tables for; throws FEMTO_USAGE for any other. */
export function knownAgent({ resolved }: LoadedConfiguration, agent: string): string {
  const known = Object.keys(resolved.authority.agents ?? {});
  if (known.includes(agent)) return agent;
  const fix =
    known.length === 0
      ? "Leave --agent out, or add a table [agent.NAME]."
      : `Name one that has tables: ${known.map((name) => printable(name)).join(", ")}.`;
  throw new FemtoError("FEMTO_USAGE", `the configuration has no [agent.${printable(agent)}]`, { fix });
}
