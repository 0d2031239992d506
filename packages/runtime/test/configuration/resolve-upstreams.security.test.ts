/** MCP servers in a configuration: what cannot be meant is a fault with its place, and no call can change what one runs. */
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Configuration, FemtoError } from "@femtoclaw/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { resolveConfiguration } from "../../src/configuration/resolve-configuration.ts";
import type { ResolvedConfiguration } from "../../src/configuration/resolved-configuration.ts";

let root: string;

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "femto-")));
  for (const folder of ["bin", "project", "project/out"]) mkdirSync(join(root, folder));
  writeFileSync(join(root, "bin/serve"), "#!/bin/sh\n");
  chmodSync(join(root, "bin/serve"), 0o755);
  for (const script of ["project/server.js", "project/out/server.js"]) writeFileSync(join(root, script), "");
});
afterEach(() => rmSync(root, { recursive: true }));

function resolve(configuration: Configuration, environment: Record<string, string> = {}): ResolvedConfiguration {
  return resolveConfiguration({
    configuration: { search_path: [join(root, "bin")], ...configuration },
    baseDirectory: join(root, "project"),
    environment: { HOME: join(root, "home"), ...environment },
  });
}

type ServerTable = NonNullable<NonNullable<Configuration["mcp"]>["servers"]>[string];
const one = (server: object, more: Configuration = {}): Configuration => {
  return { ...more, mcp: { servers: { fix: server as ServerTable } } };
};

function faultOf(configuration: Configuration): string {
  try {
    resolve(configuration);
  } catch (error) {
    if (error instanceof FemtoError) return error.message;
    throw error;
  }
  return "no fault";
}

const SERVE = { command: ["serve", "server.js"] };

test("a server is resolved to its program, is enabled, and its variables are in no digest", () => {
  const wanted = one({ ...SERVE, env: ["TOKEN"], tools: ["a"], pins: "operator" });
  const resolved = resolve(wanted, { TOKEN: "hunter2" });
  const program = join(root, "bin/serve");
  expect(resolved.upstreams).toEqual([
    {
      name: "fix",
      pins: "operator",
      tools: ["a"],
      at: { kind: "command", program, realPath: program, args: ["server.js"], env: ["TOKEN"] },
    },
  ]);
  expect(resolved.upstreamEnvironment).toEqual({ fix: { TOKEN: "hunter2" } });
  expect(resolved.capabilities.get("mcp_fix")).toEqual({ enabled: true, locked: false });
  expect(resolve(wanted, { TOKEN: "other" }).sha256).toBe(resolved.sha256);
  expect(resolve(one(SERVE)).sha256).not.toBe(resolved.sha256);
  const off = resolve(one(SERVE, { capabilities: { mcp_fix: false } }));
  expect(off.capabilities.get("mcp_fix")).toEqual({ enabled: false, locked: true });
});

test.each([
  [{}, "expected one of `command` and `url`"],
  [{ ...SERVE, url: "https://example.com" }, "expected one of `command` and `url`"],
  [{ command: ["none"] }, "there is no program `none`"],
  [{ command: ["/bin/sh"] }, "is not in a folder of search_path"],
  [{ ...SERVE, env: ["PATH"] }, "the PATH of programs is search_path"],
  [{ ...SERVE, headers: {} }, "only a server with a `url` gets headers"],
  [{ url: "https://example.com", env: ["A"] }, "only a server with a `command` gets variables"],
  [{ url: "http://example.com/mcp" }, "expected https"],
  [{ url: "http://127.0.0.1.example.com/" }, "expected https"],
  [{ url: "https://a:b@example.com/" }, "must not contain a user or password"],
  [{ url: "file:///etc/passwd" }, "/mcp/servers/fix/url"],
])("%j is a fault", (server, fault) => {
  expect(faultOf(one(server))).toContain(fault);
});

test.each(["a__b", "a_", "_a", "A", "a-b", "a.b", "", "x".repeat(33)])("no server is called %j", (name) => {
  expect(faultOf({ mcp: { servers: { [name]: { command: ["serve"] } } } })).toContain("is not possible here");
});

test("no call can change what a server runs", () => {
  const writing = { allow: { write: ["./out"] } };
  expect(faultOf(one(SERVE, writing))).toBe("no fault");
  expect(faultOf(one({ command: ["serve", "out/server.js"] }, writing))).toContain("calls could change");
  expect(faultOf(one({ command: ["serve", "./out/server.js"] }, { ask: { write: ["./out"] } }))).toContain(
    "calls could",
  );
  for (const option of ["--import=./out/server.js", "--require=out/server.js"])
    expect(faultOf(one({ command: ["serve", option] }, writing))).toContain("calls could change");
  const denied = { ...writing, deny: { write: ["./out/server.js"] } };
  expect(faultOf(one({ command: ["serve", "out/server.js"] }, denied))).toBe("no fault");
});

test("no call can change a part of the folder that a server runs, and any part of one that it is about", () => {
  const writing = { allow: { write: ["./code/data"] } };
  mkdirSync(join(root, "project/code/data"), { recursive: true });
  expect(faultOf(one({ command: ["serve", "code"] }, writing))).toContain("calls could change");
  expect(faultOf(one({ command: ["serve", "server.js", "code"] }, writing))).toBe("no fault");
});

test("a workspace that may be written is what a server is about, behind its script, and elsewhere what it runs", () => {
  const all = { allow: { write: ["."] }, deny: { write: ["./out/server.js"] } };
  for (const folder of [".", "..", "--root=."])
    expect([folder, faultOf(one({ command: ["serve", "out/server.js", folder] }, all))]).toEqual([folder, "no fault"]);
  for (const args of [["."], ["--root=."], [".", "out/server.js"], ["out", "."], ["out/server.js", "out"]])
    expect([args, faultOf(one({ command: ["serve", ...args] }, all))]).toEqual([
      args,
      expect.stringContaining("calls could change"),
    ]);
});

test("entries of tools name tools of servers that are there", () => {
  const allowing = (tools: object) => one(SERVE, { allow: { tools: tools as never } });
  expect(faultOf(allowing({ fix__a: ["*"], "fix__*": ["*"], fix___a: [{ with: { x: ["y", 1, true] } }] }))).toBe(
    "no fault",
  );
  expect(faultOf(allowing({ fxi__a: ["*"] }))).toContain("[mcp.servers] has no `fxi`; did you mean `fix`?");
  for (const name of ["fix", "fix_a", "fix__", "*", "__a", "fix__a b", "fix__a*"]) {
    expect([name, faultOf(allowing({ [name]: ["*"] }))]).toEqual([name, expect.stringContaining("expected a tool as")]);
  }
  for (const rule of [{}, { with: {} }, { with: { a: [] } }, { with: { a: [1.5] } }, { with: { a: [null] } }, "any"]) {
    expect([rule, faultOf(allowing({ fix__a: [rule] }))]).toEqual([
      rule,
      expect.stringContaining("/allow/tools/fix__a"),
    ]);
  }
  const elsewhere = { agent: { reviewer: { deny: { tools: { gone__a: ["*"] } } } } } as Configuration;
  expect(faultOf(one(SERVE, elsewhere))).toContain("[mcp.servers] has no `gone`");
  expect(faultOf(one(SERVE, { after_untrusted: { tools: { gone__a: ["*"] } } } as Configuration))).toContain(
    "no `gone`",
  );
  const shadow = { shadow: { deny: { tools: { gone__a: ["*"] } } } } as Configuration;
  expect(faultOf(one(SERVE, shadow))).toContain("no `gone`");
});
