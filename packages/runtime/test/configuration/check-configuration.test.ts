/** Every fault of a configuration is found, with its place, what was expected and what was probably meant. */

import { nearestName } from "@femtoclaw/protocol";
import { expect, test } from "vitest";
import { configurationFaults } from "../../src/configuration/check-configuration.ts";

const faults = (value: unknown): string[] =>
  configurationFaults(value).map(({ pointer, message }) => `${pointer}: ${message}`);

const RULE = "expected text of 1 to 256 characters, or a table with `word`, `flags`, or a table with `any`, `unsafe`";

test("an empty configuration and a full one have no faults", () => {
  expect(faults({})).toEqual([]);
  expect(
    faults({
      workspace: ".",
      search_path: ["/usr/bin"],
      capabilities: { process_exec: true, fs_read: { timeout_ms: 1 }, fs_write: false },
      allow: { read: ["."], run: { git: ["status", { word: "diff", flags: ["--stat"] }], node: [{ any: true }] } },
      deny: { write: [".git"] },
      sandbox: { read: [], env: ["LANG"] },
      limits: { timeout_ms: 1, output_bytes: 1, concurrency: 1, queue: 1 },
      memory: { path: "/s" },
      host: { runtime_dir: "/r" },
      observability: { otlp: "http://127.0.0.1:4318" },
    }),
  ).toEqual([]);
});

test.each([
  [{ alow: {} }, "/alow: unknown key `alow`; did you mean `allow`?"],
  [{ allow: { raed: [] } }, "/allow/raed: unknown key `raed`; did you mean `read`?"],
  [{ limits: { "timeout-ms": 1 } }, "/limits/timeout-ms: unknown key `timeout-ms`; did you mean `timeout_ms`?"],
  [{ sandbox: { conect: {} } }, "/sandbox/conect: unknown key `conect`; did you mean `connect`?"],
  [
    { capabilities: { fs_read: { idempotent: true } } },
    "/capabilities/fs_read/idempotent: unknown key `idempotent`; known here: timeout_ms, output_bytes, memory_bytes, processes, cpu_ms, file_bytes, open_files, temporary_bytes, package, pins",
  ],
  [{ allow: { run: { git: [{ wrod: "x" }] } } }, "/allow/run/git/0/wrod: unknown key `wrod`; did you mean `word`?"],
  [{ allow: { run: { git: [{ flags: [] }] } } }, `/allow/run/git/0: ${RULE}; found a table`],
  [{ allow: { run: { git: [{ word: "a", any: true }] } } }, `/allow/run/git/0: ${RULE}; found a table`],
  [{ allow: { run: { git: [{ any: false }] } } }, "/allow/run/git/0/any: expected true; found false"],
  [{ allow: { run: { git: "status" } } }, '/allow/run/git: expected a list of 1 to 64 items; found "status"'],
  [{ allow: { run: { git: [] } } }, "/allow/run/git: expected a list of 1 to 64 items; found an empty list"],
  [{ allow: { run: { git: Array(70).fill("a") } } }, "/allow/run/git: expected a list of 1 to 64 items; found 70"],
  [
    { mcp: { servers: Object.fromEntries(Array.from({ length: 33 }, (_, at) => [`s${at}`, { command: ["a"] }])) } },
    "/mcp/servers: expected a table of 0 to 32 entries; found 33",
  ],
  [{ allow: [] }, "/allow: expected a table with `read`, `write`, `run`, `fetch`, `tools`; found an empty list"],
  [{ limits: { queue: 0 } }, "/limits/queue: expected a whole number from 1 to 65536; found 0"],
  [{ limits: { queue: 1.5 } }, "/limits/queue: expected a whole number from 1 to 65536; found 1.5"],
  [{ audit: { witness: [{ kind: "file", path: "/w" }] } }, "/audit/witness/0: the key `name` is missing here"],
  [{ workspace: "" }, '/workspace: expected text that is not empty; found ""'],
  [
    { capabilities: { "fs.read": true } },
    "/capabilities/fs.read: the key `fs.read` is not possible here: expected text that matches ^[a-z][a-z0-9_]{0,127}$",
  ],
  [{ "a/b~c": 1 }, "/a~1b~0c: unknown key `a/b~c`; known here: "],
])("%j", (value, expected) => {
  const found = faults(value);
  expect(found).toHaveLength(1);
  expect(found[0]?.startsWith(expected)).toBe(true);
});

test("all faults are reported, each at its original place", () => {
  const places = faults({
    search_path: ["/usr/bin", 1, "/bin", 2, 3],
    allow: { run: { git: ["a", 3, { word: "b", flags: ["x", "-y", "z"] }] } },
    limits: { quue: 1, queue: "1" },
  }).map((fault) => fault.split(":")[0]);
  expect(new Set(places)).toEqual(
    new Set([
      "/search_path/1",
      "/search_path/3",
      "/search_path/4",
      "/allow/run/git/1",
      "/allow/run/git/2/flags/0",
      "/allow/run/git/2/flags/2",
      "/limits/quue",
      "/limits/queue",
    ]),
  );
  expect(places).toHaveLength(8);
});

test.each([null, true, 1, "text", [], undefined, [[{}]]])("%j is no configuration", (value) => {
  expect(faults(value)).toHaveLength(1);
});

test("hostile keys are data: no prototype is touched, and messages stay short and printable", () => {
  const hostile = JSON.parse(`{"__proto__":{"x":1},"constructor":{},"\\u202e${"k".repeat(5_000)}":1}`);
  const found = faults(hostile);
  expect(found).toHaveLength(3);
  expect(Object.prototype).not.toHaveProperty("x");
  for (const fault of found) expect(fault.split(": ")[1]).not.toMatch(/\u202e/);
});

test("the number of faults is bounded", () => {
  const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`key${index}`, 1]));
  expect(faults(many)).toHaveLength(50);
  expect(faults({ allow: { run: { x: [many, many] } } }).length).toBeLessThanOrEqual(100);
});

test("near names are found, far ones are not guessed", () => {
  const known = ["read", "write", "run"];
  expect(nearestName("raed", known)).toBe("read");
  expect(nearestName("RUN", known)).toBe("run");
  expect(nearestName("writes", known)).toBe("write");
  expect(nearestName("connect", known)).toBeUndefined();
  expect(nearestName("", known)).toBeUndefined();
  expect(nearestName("x".repeat(1_000_000), known)).toBeUndefined();
});
