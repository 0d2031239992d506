/**
 * MCP servers of others as the configuration names them, resolved against this machine: programs must exist, addresses
 * must be permissible.
 */
import { existsSync, statSync } from "node:fs";
import {
  type AskKind,
  type Authority,
  type Configuration,
  type HostEnvironment,
  isWithin,
  type McpServerTable,
  mcpCapability,
} from "@femtoclaw/protocol";
import { canonicalPath, type PathBase } from "./canonical-path.ts";
import { isWritable } from "./check-authority.ts";
import type { Places } from "./places.ts";
import { findProgram } from "./resolve-programs.ts";
import type { CapabilitySetting } from "./resolved-configuration.ts";

/** An MCP server behind the gate. */
export interface UpstreamSetting {
  /** The name in the configuration. The server's tools are offered as `NAME__TOOL`. */
  readonly name: string;
  /** Who accepts what the server offers if nothing of it was ever pinned. */
  readonly pins: "first_use" | "operator";
  /** The only tools that are offered; null for all. */
  readonly tools: readonly string[] | null;
  /** What the server may ask its caller; nothing if absent. */
  readonly mayAsk?: readonly AskKind[];
  /** How the server is reached: a program that is started, or an address. */
  readonly at: UpstreamCommand | UpstreamUrl;
}

interface UpstreamCommand {
  readonly kind: "command";
  /** The path by which the search path finds the program, and the file that it leads to. */
  readonly program: string;
  readonly realPath: string;
  readonly args: readonly string[];
  /** Names of the host's variables that the server gets in addition to those of every program. */
  readonly env: readonly string[];
}

interface UpstreamUrl {
  readonly kind: "url";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Where to find on this machine what a command names. */
interface Machine {
  readonly base: PathBase;
  readonly searchPath: readonly string[];
}

export function resolveUpstreams(
  { mcp, sandbox }: Configuration,
  machine: Machine,
  places: Places,
): readonly UpstreamSetting[] {
  return Object.entries(mcp?.servers ?? {}).flatMap(([name, table]) => {
    const at = placeOf(table, ["mcp", "servers", name], machine, places);
    if (at === null) return [];
    const doubled = at.kind === "command" ? at.env.find((one) => sandbox?.env?.includes(one)) : undefined;
    if (doubled !== undefined)
      places.fault(["mcp", "servers", name, "env"], `[sandbox].env gives \`${doubled}\` already`);
    return [
      {
        name,
        pins: table.pins ?? "first_use",
        tools: table.tools ?? null,
        at,
        ...(table.may_ask === undefined ? {} : { mayAsk: table.may_ask }),
      },
    ];
  });
}

function placeOf(
  { command, env, url, headers }: McpServerTable,
  place: readonly string[],
  machine: Machine,
  places: Places,
): UpstreamSetting["at"] | null {
  const fault = (key: string, message: string): null => {
    places.fault([...place, ...(key === "" ? [] : [key])], message);
    return null;
  };
  if ((command === undefined) === (url === undefined)) return fault("", "expected one of `command` and `url`");
  if (command !== undefined) {
    if (headers !== undefined) return fault("headers", "only a server with a `url` gets headers");
    if ((env ?? []).includes("PATH")) return fault("env", "the PATH of programs is search_path");
    const [program = "", ...args] = command;
    const found = findProgram(program, machine.searchPath);
    if ("problem" in found) return fault("command", found.problem);
    return { kind: "command", program: found.path, realPath: found.realPath, args, env: [...new Set(env ?? [])] };
  }
  if (env !== undefined) return fault("env", "only a server with a `command` gets variables");
  const address = URL.parse(url ?? "");
  if (address === null || address.hash !== "")
    return fault("url", "expected an address such as https://example.com/mcp");
  if (address.username !== "" || address.password !== "")
    return fault("url", "an address must not contain a user or password");
  // INVARIANT: I10: nothing sent to a server, secrets included, can be read on the way.
  if (address.protocol !== "https:" && !isThisMachine(address.hostname)) {
    return fault(
      "url",
      "expected https; http is allowed only for addresses of this machine, such as http://127.0.0.1:8080",
    );
  }
  return { kind: "url", url: address.href, headers: headers ?? {} };
}

function isThisMachine(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

/**
 * INVARIANT: I8: no call changes what a server runs, because the server also serves sessions that may not make such a
 * change.
 */
export function checkUpstreams(
  upstreams: readonly UpstreamSetting[],
  { allow, ask, deny, workspace }: Authority,
  base: PathBase,
  places: Places,
): void {
  for (const { name, at } of upstreams) {
    if (at.kind !== "command") continue;
    for (const [index, path] of runBy(at.args, { ...base, directory: workspace }).entries()) {
      // The first is what the server runs: if it is a folder, any file in there may be part of that.
      const grant = [...allow.write, ...ask.write].find((one) => {
        const isInside = index === 0 && isWithin(one.path, path) && isWritable(one.path, one, deny.write);
        return isInside || isWritable(path, one, deny.write);
      });
      if (grant === undefined) continue;
      const remedy = isWithin(workspace, path)
        ? "leave it out, because a server starts there, or put the file that the server runs before it"
        : `put it or its folder under [deny].write, or keep it elsewhere`;
      const message = `calls could change ${path} (${grant.source}), which the server may run; ${remedy}`;
      places.fault(["mcp", "servers", name, "command"], message);
    }
  }
}

/**
 * The paths that the arguments name, of an option the one behind its `=`. The workspace itself is left out behind a file
 * that is checked here, since it is then what the server is about; in the first place it is what `node .` would run.
 */
function runBy(args: readonly string[], base: PathBase): readonly string[] {
  const named: string[] = [];
  for (const argument of args) {
    const value = argument.startsWith("-") ? argument.split("=").slice(1).join("=") : argument;
    const file = value === "" ? null : canonicalPath(value, base);
    if (file === null || "problem" in file || !existsSync(file.path)) continue;
    const isAbout = isWithin(base.directory, file.path) && named.some((path) => statSync(path).isFile());
    if (!isAbout) named.push(file.path);
  }
  return named;
}

/** Naming a server enables it. `[capabilities]` may disable it and sets limits for its calls. */
export function upstreamCapabilities({ mcp }: Configuration): readonly [string, CapabilitySetting][] {
  return Object.keys(mcp?.servers ?? {}).map((name) => [mcpCapability(name), { enabled: true, locked: false }]);
}

/**
 * The variables that each server gets in addition to those of every program. Their values are in no record and no
 * digest.
 */
export function upstreamEnvironment(
  upstreams: readonly UpstreamSetting[],
  host: HostEnvironment,
): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const variables = ({ at }: UpstreamSetting): Readonly<Record<string, string>> => {
    const names = at.kind === "command" ? at.env : [];
    return Object.fromEntries(
      names.flatMap((name) => {
        const value = host[name];
        return value === undefined ? [] : [[name, value]];
      }),
    );
  };
  return Object.fromEntries(upstreams.map((setting) => [setting.name, variables(setting)]));
}
