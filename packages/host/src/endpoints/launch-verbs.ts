/**
 * How operators launch agents. Each connection can have one agent, which ends with the connection. Only the
 * configuration says what the agent is and which variables it may be given.
 */
import { resolve } from "node:path";
import { FemtoError, LIMITS, printable } from "@femtoclaw/protocol";
import type { LogEntry, Runtime } from "@femtoclaw/runtime";
import type { LaunchSetting } from "@femtoclaw/runtime/configuration";
import { LaunchedAgent } from "../launch/launched-agent.ts";
import { throwAway } from "../launch/throw-away.ts";
import { invalid, isPositive, refuseUnknown, waitedMs } from "./request-fields.ts";
import type { ConnectionHandlers, OperatorVerbs } from "./verb-handlers.ts";

/** LIMIT: launched agents of one host at once. Each is a running call, and most places for calls stay for others. */
const AGENTS_MAX = 16;
/** LIMIT: characters of the values of all variables of one agent; the kernel takes more, but no key is that long. */
const VARIABLES_CHARS = 131_072;

export interface LaunchParts {
  readonly runtime: Runtime;
  readonly launches: readonly LaunchSetting[];
  readonly workspace: string;
  log(entry: LogEntry): void;
}

type Fields = Readonly<Record<string, unknown>>;

/** Makes the handlers of each connection, and limits the number of agents that all of them together launch. */
export class LaunchVerbs {
  readonly #parts: LaunchParts;
  readonly #running = new Set<LaunchedAgent>();

  constructor(parts: LaunchParts) {
    this.#parts = parts;
  }

  handlers(): Required<ConnectionHandlers> & { readonly verbs: OperatorVerbs<"launch"> } {
    let own: LaunchedAgent | null = null;
    const launched = (): LaunchedAgent => {
      if (own === null) throw invalid("nothing was launched by this connection");
      return own;
    };
    const end = (): void => {
      if (own === null) return;
      own.end();
      this.#running.delete(own);
    };
    return {
      verbs: {
        "launch.start": (fields) => {
          if (own !== null) throw invalid("this connection has launched its agent");
          own = this.#start(fields);
          return { session: own.session };
        },
        "launch.read": async ({ wait_ms, ...rest }) => {
          refuseUnknown(rest);
          const { stdout, stderr, ended } = await launched().read(waitedMs(wait_ms));
          if (ended !== null) end();
          return { stdout: stdout.toString("base64"), stderr: stderr.toString("base64"), ended };
        },
        "launch.write": async ({ data, ...rest }) => {
          refuseUnknown(rest);
          if (data !== null && typeof data !== "string") throw invalid("`data` must be base64, or null for the end");
          if (data === null) await launched().endInput();
          else await launched().write(Buffer.from(data, "base64"));
          return null;
        },
        "launch.resize": async ({ size, ...rest }) => {
          refuseUnknown(rest);
          const to = sizeOf(size);
          if (to !== null) await launched().resize(to);
          return null;
        },
        "launch.end": (fields) => {
          refuseUnknown(fields);
          launched().end();
          return null;
        },
      },
      // INVARIANT: I8: the agent ends when the client that launched it is gone, however that came about.
      onLeaving: end,
      onClosed: end,
    };
  }

  #start({ name, argv, cwd, variables, size, ...rest }: Fields): LaunchedAgent {
    refuseUnknown(rest);
    if (typeof name !== "string") throw invalid("`name` must be a string");
    if (cwd !== undefined && typeof cwd !== "string") throw invalid("`cwd` must be a string");
    const { runtime, launches, workspace, log } = this.#parts;
    const setting = launches.find((one) => one.name === name);
    if (setting === undefined) {
      throw new FemtoError("FEMTO_USAGE", `the host was started without [launch.${printable(name, 64)}]`, {
        fix: "Launches are read when a host starts. Add the table if it is missing, then run `femtoclaw down` and `femtoclaw up --detach`.",
      });
    }
    if (this.#running.size >= AGENTS_MAX) {
      throw new FemtoError("FEMTO_OVERLOADED", `${AGENTS_MAX} launched agents run, which is the limit`);
    }
    const request = {
      setting,
      argv: textsOf("argv", argv),
      variables: variablesOf(variables, setting),
      own: throwAway(setting, { workspace, cwd: resolve(workspace, cwd ?? ".") }),
      size: sizeOf(size),
    };
    const agent = new LaunchedAgent(runtime, { ...request, ...(cwd === undefined ? {} : { cwd }) }, log);
    this.#running.add(agent);
    return agent;
  }
}

/**
 * INVARIANT: I8: an agent is never given a variable that the configuration does not list for it, even if an operator
 * asks.
 */
function variablesOf(written: unknown, { name, env }: LaunchSetting): Record<string, string> {
  const variables = textsOf("variables", written).map((text): [string, string] => {
    const at = Math.max(0, text.indexOf("="));
    const variable = text.slice(0, at);
    if (!env.includes(variable)) {
      throw invalid(`[launch.${name}].env does not list \`${printable(variable, 64)}\``);
    }
    return [variable, text.slice(at + 1)];
  });
  const chars = variables.reduce((sum, [, value]) => sum + value.length, 0);
  if (chars > VARIABLES_CHARS) throw invalid(`\`variables\` have more than ${VARIABLES_CHARS} characters`);
  return Object.fromEntries(variables);
}

function sizeOf(size: unknown): { readonly cols: number; readonly rows: number } | null {
  if (size === null) return null;
  const { cols, rows } = Object(size) as Fields;
  if (isPositive(cols, LIMITS.terminalSide) && isPositive(rows, LIMITS.terminalSide)) return { cols, rows };
  throw invalid(`\`size\` must be null, or have \`cols\` and \`rows\` from 1 to ${LIMITS.terminalSide}`);
}

/** Splits texts that each end with a NUL, which no text can contain. */
function textsOf(field: string, value: unknown): readonly string[] {
  if (value === "") return [];
  if (typeof value === "string" && value.endsWith("\0")) return value.slice(0, -1).split("\0");
  throw invalid(`\`${field}\` must be a text in which each part ends with a NUL`);
}
