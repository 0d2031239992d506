/** Connects the MCP server to the host, and starts a host if the operator's configuration says so. */
import { setTimeout as sleep } from "node:timers/promises";
import type { AgentClient } from "@femtoclaw/client";
import type { Connect } from "@femtoclaw/mcp";
import { ERRORS, type ErrorCode, FemtoError, parseJson } from "@femtoclaw/protocol";
import type { CommandContext } from "../commands/command-context.ts";
import type { LoadedConfiguration } from "../configuration/load-configuration.ts";

/** LIMIT: time for a host that another process is starting to come up. */
const OTHERS_START_MS = 20_000;
const LOOK_AGAIN_MS = 50;

/** `agent` names the agent whose socket is used. Without it, the common socket is used. */
export function startingConnect(
  context: CommandContext,
  loaded: LoadedConfiguration,
  agent: string | undefined,
): Connect {
  let starting: Promise<void> | null = null;
  return async ({ label, start }) => {
    const connect = (): Promise<AgentClient> =>
      context.agent(loaded, { label, ...(agent === undefined ? {} : { agent }) });
    try {
      return await connect();
    } catch (error) {
      if (!start || !isNotRunning(error) || !mayStart(context)) throw error;
    }
    starting ??= startHost(context, async () => {
      await using _client = await connect();
    }).finally(() => {
      starting = null;
    });
    await starting;
    return await connect();
  };
}

/**
 * INVARIANT: I8: what the operator's configuration says now counts, and not what it said when the client was started.
 */
function mayStart(context: CommandContext): boolean {
  return context.load().configuration.host?.autostart === true;
}

/**
 * Starts a host, or waits for the one that another process is starting. A state directory has only one host, so the
 * second process finds it taken.
 */
async function startHost(context: CommandContext, reach: () => Promise<void>): Promise<void> {
  const { startDetached } = await import("../commands/host/up-detached.ts");
  const started = await startDetached(context);
  if (!("exit" in started)) return;
  const fault = faultOf(started.said);
  if (fault.code !== "FEMTO_JOURNAL_LOCKED" && fault.code !== "FEMTO_HOST_RUNNING") throw fault;
  const deadlineMs = performance.now() + OTHERS_START_MS;
  for (;;) {
    try {
      return await reach();
    } catch (error) {
      if (!isNotRunning(error)) throw error;
      if (performance.now() > deadlineMs) throw fault;
      await sleep(LOOK_AGAIN_MS);
    }
  }
}

/** The fault that a host prints on its first line when it does not come up. */
function faultOf(said: string | null): FemtoError {
  const told = said === null ? null : (parseJson(said) as { readonly error?: Told }).error;
  if (told === null || told === undefined || !Object.hasOwn(ERRORS, told.code)) {
    return new FemtoError("FEMTO_HOST_NOT_RUNNING", "the host was started and did not come up");
  }
  return new FemtoError(told.code as ErrorCode, `the host did not come up: ${told.reason}`, { fix: told.fix });
}

interface Told {
  readonly code: string;
  readonly reason: string;
  readonly fix: string;
}

function isNotRunning(error: unknown): boolean {
  return error instanceof FemtoError && error.code === "FEMTO_HOST_NOT_RUNNING";
}
