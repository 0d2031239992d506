/**
 * What MCP clients keep from their servers: most pass on few variables, and not the one that says where sockets lie.
 */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { SOCKET_NAMES } from "@femtoclaw/protocol";
import { CommandContext } from "../commands/command-context.ts";

/** The runtime directory that systemd makes for the user. In every session, systemd sets XDG_RUNTIME_DIR to it. */
const usualRuntimeDirectory = (): string => `/run/user/${process.getuid?.() ?? 0}`;

/**
 * The context with the runtime directory that the user's own shells have, if the variable is missing here and no host
 * is found without it.
 */
export function withRuntimeDirectory(context: CommandContext, usual = usualRuntimeDirectory()): CommandContext {
  if (context.environment["XDG_RUNTIME_DIR"] !== undefined || !isFolder(usual)) return context;
  const { resolved } = context.load();
  if (existsSync(join(resolved.runtimeDirectory, SOCKET_NAMES.agent))) return context;
  // INVARIANT: I8: choosing this folder decides nothing, because its owner is checked before anything is sent to a
  // socket in it.
  return new CommandContext(context.options, { ...context.environment, XDG_RUNTIME_DIR: usual });
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
