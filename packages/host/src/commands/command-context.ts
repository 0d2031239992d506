/** What every command gets: the global options, the configuration on demand, a voice. */
import { AgentClient, OperatorClient } from "@femtoclaw/client";
import { type LoadedConfiguration, loadConfiguration } from "../configuration/load-configuration.ts";
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
  readonly cwd = process.cwd();
  readonly environment = process.env;

  constructor(options: GlobalOptions) {
    this.options = options;
    this.output = makeOutput({ json: options.json ?? false, quiet: options.quiet ?? false });
  }

  /** Locates, checks and resolves the configuration; throws with place and fix. */
  load(): LoadedConfiguration {
    return loadConfiguration({
      cwd: this.cwd,
      environment: this.environment,
      configFlag: this.options.config,
      stateFlag: this.options.state,
    });
  }

  async agent(loaded = this.load()): Promise<AgentClient> {
    return await AgentClient.connect(checkedRuntimeDirectory(loaded));
  }

  async operator(loaded = this.load()): Promise<OperatorClient> {
    return await OperatorClient.connect(checkedRuntimeDirectory(loaded));
  }
}

/** INVARIANT: I8: nothing is said to a socket that somebody else could have put there. */
function checkedRuntimeDirectory({ resolved }: LoadedConfiguration): string {
  assertPrivateSocketFolder(resolved.runtimeDirectory);
  return resolved.runtimeDirectory;
}
