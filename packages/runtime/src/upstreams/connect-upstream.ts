/** Connects to one MCP server: a program in the caller's view, or an address. */
import assert from "node:assert/strict";
import {
  HttpTransport,
  type OnNotification,
  StdioTransport,
  type UpstreamTransport,
  upstreamHost,
} from "@femtoclaw/capabilities";
import { FemtoError, mcpCapability } from "@femtoclaw/protocol";
import type { SandboxView } from "@femtoclaw/sandbox";
import type { UpstreamSetting } from "../configuration/resolve-upstreams.ts";
import type { UpstreamsParts } from "./upstreams-parts.ts";

export function connectUpstream(
  { name, at }: UpstreamSetting,
  view: SandboxView | null,
  { names, secrets, configuration, registered: find }: UpstreamsParts,
  onNotification: OnNotification,
): UpstreamTransport {
  if (at.kind === "url") {
    const { url, headers } = at;
    return new HttpTransport({ bound: () => upstreamHost({ url, headers, names, secrets }), headers });
  }
  // INVARIANT: without a sandbox no program runs.
  if (view === null) throw new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", "this machine has no sandbox to run it in");
  const { program, realPath, args } = at;
  const environment = configuration.upstreamEnvironment[name] ?? {};
  const command = { program, realPath, args, cwd: view.authority.workspace, environment };
  const registered = find(mcpCapability(name));
  assert(registered !== undefined, "a server is registered as a capability");
  return new StdioTransport({ view, command, limits: registered.child, onNotification });
}
