/** Agents to be launched in a configuration: what cannot be meant is a fault with its place, and no call can change what is launched. */
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Configuration, FemtoError } from "@femtoclaw/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { resolveConfiguration } from "../../src/configuration/resolve-configuration.ts";

let root: string;

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "femto-")));
  for (const folder of ["bin", "project", "project/tools"]) mkdirSync(join(root, folder));
  for (const program of ["bin/helper", "project/tools/own"]) {
    writeFileSync(join(root, program), "#!/bin/sh\n");
    chmodSync(join(root, program), 0o755);
  }
});
afterEach(() => rmSync(root, { recursive: true }));

function resolve(configuration: Configuration) {
  return resolveConfiguration({
    configuration: { search_path: [join(root, "bin")], ...configuration },
    baseDirectory: join(root, "project"),
    environment: { HOME: join(root, "home"), KEY: "hunter2" },
  });
}

function faultOf(configuration: Configuration): string {
  try {
    resolve(configuration);
  } catch (error) {
    if (error instanceof FemtoError) return error.message;
    throw error;
  }
  return "no fault";
}

test("an agent is resolved to its program, enables what launches it, and its variables are names alone", () => {
  const resolved = resolve({ launch: { helper: { agent: "coder", env: ["KEY"] } }, agent: { coder: {} } });
  const program = join(root, "bin/helper");
  const found = { program, realPath: program, principal: "coder", source: "/launch/helper" };
  expect(resolved.launches).toEqual([{ ...found, name: "helper", env: ["KEY"], kind: "other" }]);
  expect(resolved.authority.launch).toEqual([found]);
  expect(resolved.capabilities.get("agent_run")).toEqual({ enabled: true, locked: false });
  expect(JSON.stringify(resolved)).not.toContain("hunter2");
  expect(resolve({}).launches).toBeUndefined();
  const off = resolve({ launch: { helper: {} }, capabilities: { agent_run: false } });
  expect(off.capabilities.get("agent_run")).toEqual({ enabled: false, locked: true });
});

test("what cannot be meant is a fault", () => {
  expect(faultOf({ launch: { nothing: {} } })).toContain("there is no program `nothing` in search_path");
  expect(faultOf({ launch: { a: { program: "../bin/helper" } } })).toContain("expected the name of a program");
  expect(faultOf({ launch: { helper: { agent: "coder" } } })).toContain("there is no [agent.coder]");
  expect(faultOf({ launch: { helper: { env: ["PATH"] } } })).toContain("the PATH of programs is search_path");
  expect(faultOf({ launch: { helper: {} }, limits: { concurrency: 1 } })).toContain("a concurrency of at least 2");
  expect(faultOf({ launch: { "a b": {} } })).toContain("the key `a b` is not possible here");
  expect(faultOf({ launch: { helper: { env: ["A=B"] } } })).not.toBe("no fault");
});

test("a known agent is known by its program, and its model's address is one that no key gets lost on", () => {
  for (const kind of ["codex", "claude"]) writeFileSync(join(root, "bin", kind), "#!/bin/sh\n", { mode: 0o755 });
  const base_url = "http://127.0.0.1:11434/v1/";
  const launch: Configuration["launch"] = {
    codex: { model: "m", base_url, env: ["KEY"] },
    work: { program: join(root, "bin/claude") },
    mine: { program: "helper", kind: "pi" },
    plain: { program: "codex", kind: "other" },
  };
  const found = resolve({ launch }).launches?.map(({ name, kind, model, baseUrl }) => [name, kind, model, baseUrl]);
  expect(found).toEqual([
    ["codex", "codex", "m", "http://127.0.0.1:11434/v1"],
    ["work", "claude", undefined, undefined],
    ["mine", "pi", undefined, undefined],
    ["plain", "other", undefined, undefined],
  ]);
  const faultAt = (base_url: string, env: string[] = []) =>
    faultOf({ launch: { codex: { model: "m", base_url, env } } });
  expect(faultAt("http://models.example.com/v1", ["KEY"])).toContain("because a key is sent there");
  expect(faultAt("http://models.example.com/v1")).toBe("no fault");
  expect(faultAt("https://models.example.com/v1", ["KEY"])).toBe("no fault");
  for (const address of ["models", "file:///etc/passwd", "http://a=b/", "http://a%20b/"]) {
    expect(faultAt(address), address).not.toBe("no fault");
  }
  for (const address of ["https://u@h/", "https://u:p@h/", "https://h/?key=1", "https://h/#k"]) {
    expect(faultAt(address), address).toContain("must not contain a user, a password");
  }
  expect(faultOf({ launch: { codex: { base_url } } })).toContain("expected the name of a model");
  for (const model of ["-p", "a b", 'a"\nb', "{file:/etc/passwd}"]) {
    expect(faultOf({ launch: { codex: { model } } }), model).not.toBe("no fault");
  }
  expect(faultOf({ launch: { helper: { model: "m" } } })).toContain("is configured by its own arguments");
  expect(faultOf({ launch: { helper: { base_url } } })).toContain("is configured by its own arguments");
});

test("no call may write where the program of an agent lies", () => {
  const launch = { own: {} };
  const search_path = [join(root, "project/tools")];
  expect(faultOf({ launch, search_path, allow: { write: ["tools"] } })).toContain("calls could replace the program");
});
