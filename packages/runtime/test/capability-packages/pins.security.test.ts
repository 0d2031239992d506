/** Attacks on what a capability is loaded from: nothing runs but the bytes that an operator accepted. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, chownSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import type { CommitGroup } from "@femtoclaw/journal";
import type { Configuration, PackageView } from "@femtoclaw/protocol";
import { type Runtime, systemSurroundings } from "@femtoclaw/runtime";
import { MemoryDisk, MemoryKeyring, MemoryStore } from "@femtoclaw/testing/in-memory";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ofType, recordsOf } from "../runtime-fixture.ts";
import { PackagePlace, type PackageText, proposed, told } from "./package-place.ts";

const isRoot = process.getuid?.() === 0;
const STRANGER = 65_534;
const ANSWER = 'return { version: "accepted" };';
const CHANGED = 'export default { run: () => ({ version: "changed" }) };';
const ACCEPTED = 'completed: {"version":"accepted"}';

/** What is wrong with a package, and what is said of it. */
const REFUSED: Readonly<Record<string, { readonly spoil: (at: string) => void; readonly told: RegExp }>> = {
  link_file: {
    spoil: (at) => symlinkSync(place.at("honest", "main.js"), join(at, "extra.js")),
    told: /is a symbolic link to/,
  },
  link_folder: { spoil: (at) => symlinkSync(place.root, join(at, "extra")), told: /is a symbolic link to/ },
  fifo: { spoil: (at) => void execFileSync("mkfifo", [join(at, "pipe.js")]), told: /is not a regular file/ },
  shared: { spoil: (at) => chmodSync(join(at, "main.js"), 0o666), told: /can be changed by others \(mode 666\)/ },
  open_folder: {
    spoil: (at) => {
      mkdirSync(join(at, "lib"));
      chmodSync(join(at, "lib"), 0o777);
    },
    told: /can be changed by others \(mode 777\)/,
  },
  no_main: {
    spoil: (at) => writeFileSync(join(at, "package.json"), '{"main":"../honest/main.js"}'),
    told: /whose `main` is one of its files/,
  },
  many: {
    spoil: (at) => {
      for (let n = 0; n < 70; n += 1) writeFileSync(join(at, `f${n}.js`), "");
    },
    told: /has more than 64 files/,
  },
  large: {
    spoil: (at) => writeFileSync(join(at, "big.js"), Buffer.alloc(5_000_000)),
    told: /is larger than \d+ bytes/,
  },
  deep: {
    spoil: (at) => void mkdirSync(join(at, "a/b/c/d/e/f/g/h/i/j"), { recursive: true }),
    told: /is deeper than 8 folders/,
  },
  odd_name: { spoil: (at) => writeFileSync(join(at, "a\nb.js"), ""), told: /has other characters in its name/ },
  ...(isRoot
    ? {
        stranger: {
          spoil: (at: string) => chownSync(join(at, "main.js"), STRANGER, STRANGER),
          told: /belongs to another user/,
        },
      }
    : {}),
};

const place = new PackagePlace();
let runtime: Runtime;

beforeAll(async () => {
  place.add("mine", { run: ANSWER, files: { "lib/part.js": "export {};" } }, { pins: "operator" });
  for (const name of ["honest", "swapped", "exchanged", "remade"]) place.add(name, { run: ANSWER });
  for (const [name, { spoil }] of Object.entries(REFUSED)) {
    place.add(name, {});
    spoil(place.at(name));
  }
  runtime = await place.open();
});

afterAll(() => place[Symbol.asyncDispose]());

async function view(name: string): Promise<PackageView> {
  const found = (await runtime.packages.list()).find((one) => one.name === name);
  if (found === undefined) throw new Error(`no package ${name}`);
  return found;
}

async function acceptAsSeen(seen: PackageView): Promise<void> {
  const files = seen.files.flatMap(({ name, sha256 }) => (sha256 === null ? [] : [{ name, sha256 }]));
  await runtime.packages.accept(seen.name, files, "alice");
}

const said = async (name: string): Promise<string> => told(await proposed(runtime, name));
const listed = (): string[] => runtime.tools().map(({ name }) => name);

test("is called once an operator accepted it, and not any more when any of its files changes", async () => {
  expect(await said("mine")).toMatch(/^FEMTO_TOOL_QUARANTINED: .* not accepted by an operator yet$/);
  expect(listed()).not.toContain("mine");
  await acceptAsSeen(await view("mine"));
  expect(await said("mine")).toBe(ACCEPTED);
  expect(listed()).toContain("mine");

  const [part, extra, moved] = ["lib/part.js", "extra.js", "part.js"].map((file) => place.at("mine", file));
  const changes: readonly [() => void, () => void][] = [
    [() => writeFileSync(String(part), "//"), () => writeFileSync(String(part), "export {};")],
    [() => writeFileSync(String(extra), ""), () => rmSync(String(extra))],
    [() => renameSync(String(part), String(moved)), () => renameSync(String(moved), String(part))],
  ];
  for (const [change, undo] of changes) {
    change();
    expect(await said("mine")).toMatch(/^FEMTO_TOOL_QUARANTINED: .* is not what was accepted: /);
    undo();
    expect(await said("mine")).toBe(ACCEPTED);
  }
  const records = await recordsOf(runtime.reader);
  const [intent] = ofType(records, "execution.intent");
  expect(intent?.body.code_sha256).toBe((await view("mine")).set_sha256);
  const told = ofType(records, "upstream.quarantined").filter(({ body }) => body.server === "capability:mine");
  expect(told).toHaveLength(4);

  await runtime.packages.reset("mine", "alice");
  expect(await said("mine")).toMatch(/^FEMTO_TOOL_QUARANTINED: /);
});

test("a file that is swapped between what an operator saw and accepts does not run", async () => {
  const seen = await view("swapped");
  expect(seen.state).toBe("accepted");
  writeFileSync(place.at("swapped", "main.js"), CHANGED);
  await acceptAsSeen(seen);
  expect(await said("swapped")).toMatch(/^FEMTO_TOOL_QUARANTINED: .*main\.js differs/);
});

test("while its file is exchanged again and again, what runs is what was accepted", async () => {
  const file = place.at("exchanged", "main.js");
  const other = join(place.root, "other.js");
  writeFileSync(other, CHANGED);
  let over = false;
  const exchanging = (async () => {
    while (!over) {
      for (const [from, to] of [
        [file, `${file}.old`],
        [other, file],
      ] as const)
        renameSync(from, to);
      await turn();
      for (const [from, to] of [
        [file, other],
        [`${file}.old`, file],
      ] as const)
        renameSync(from, to);
      await turn();
    }
  })();
  const answers = await Promise.all(Array.from({ length: 24 }, () => said("exchanged")));
  over = true;
  await exchanging;
  const allowed = /^completed: \{"version":"accepted"\}$|^FEMTO_TOOL_QUARANTINED: |^FEMTO_EXECUTION_HALTED: /;
  for (const answer of answers) expect(answer).toMatch(allowed);
  expect(await said("exchanged")).toBe(ACCEPTED);
});

/** What is done while the disk has not stored the intent of a call yet. */
class StoreInHand extends MemoryStore {
  beforeIntent: (() => Promise<void>) | null = null;

  override async append(group: CommitGroup): Promise<void> {
    const isIntent = group.records.some((record) => Buffer.from(record).includes('"execution.intent"'));
    if (isIntent) await this.beforeIntent?.();
    await super.append(group);
  }
}

test("what is exchanged and accepted between the record of an intent and the effect does not run for it", async () => {
  await using own = new PackagePlace();
  own.add("raced", { run: ANSWER });
  const store = new StoreInHand(new MemoryDisk());
  const openStorage = async () => ({ createStore: () => store, keyring: new MemoryKeyring(), claim: null });
  const raced = await own.open({ surroundings: { ...systemSurroundings(), openStorage } });
  expect(told(await proposed(raced, "raced"))).toBe(ACCEPTED);
  const [seen] = await raced.packages.list();
  const changed = createHash("sha256").update(CHANGED).digest("hex");
  const files = (seen?.files ?? []).map(({ name, sha256 }) => ({
    name,
    sha256: name === "main.js" ? changed : (sha256 ?? expect.fail()),
  }));
  const accepting: Promise<unknown>[] = [];
  store.beforeIntent = async () => {
    store.beforeIntent = null;
    writeFileSync(own.at("raced", "main.js"), CHANGED);
    accepting.push(raced.packages.accept("raced", files, "alice"), raced.packages.list());
    // The other files are accepted by then, in a record behind the intent.
    await turn();
  };
  expect(told(await proposed(raced, "raced"))).toMatch(
    /^FEMTO_EXECUTION_HALTED: stopped before its effect began: the files of its capability changed since/,
  );
  await Promise.all(accepting);
  expect(told(await proposed(raced, "raced"))).toBe('completed: {"version":"changed"}');
  const records = await recordsOf(raced.reader);
  const digests = ofType(records, "execution.intent").map(({ body }) => body.code_sha256);
  expect(digests[0]).toBe(seen?.set_sha256);
  expect(digests).toEqual([digests[0], digests[0], (await raced.packages.list())[0]?.set_sha256]);
  expect(ofType(records, "execution.outcome").map(({ body }) => body.began)).toEqual([true, false, true]);
});

test("a package that others could change, or that is more than its files, is not loaded, and the host is none the worse", async () => {
  for (const [name, refused] of Object.entries(REFUSED)) {
    const answer = await said(name);
    expect(`${name} ${answer}`).toMatch(new RegExp(`^${name} FEMTO_TOOL_QUARANTINED: .*${refused.told.source}`));
  }
  const states = (await runtime.packages.list()).filter(({ name }) => name in REFUSED).map(({ state }) => state);
  expect(new Set(states)).toEqual(new Set(["refused"]));
  expect(await said("honest")).toBe(ACCEPTED);
});

test("a manifest that changed while the host runs is not called, whoever accepts it", async () => {
  place.add("remade", { run: ANSWER, manifest: { description: "does another thing" } });
  expect(await said("remade")).toMatch(/is not the one that the host started with/);
  await acceptAsSeen(await view("remade"));
  expect(await said("remade")).toMatch(/is not the one that the host started with/);
});

test("the next start goes by what was accepted before, and not by what lies there", async () => {
  writeFileSync(place.at("honest", "main.js"), CHANGED);
  runtime = await place.open();
  expect(await said("mine")).toMatch(/^FEMTO_TOOL_QUARANTINED: .* not accepted/);
  expect(await said("honest")).toMatch(/^FEMTO_TOOL_QUARANTINED: .*main\.js differs/);
  expect(await said("swapped")).toMatch(/^FEMTO_TOOL_QUARANTINED: .*main\.js differs/);
  expect(await said("remade")).toBe(ACCEPTED);
});

test("what a configuration cannot mean keeps the host from starting, with the place of the mistake", () => {
  const wrong = new PackagePlace();
  const fault = (name: string, text: PackageText, changes: Configuration = {}, folder = name): string => {
    wrong.add(folder, text);
    try {
      wrong.configuration({ ...changes, capabilities: { [name]: { package: wrong.at(folder) } } });
      return "no fault";
    } catch (error) {
      return String(error);
    }
  };
  const path = { pointer: "/path", kind: "path" } as const;
  const program = { pointer: "/path", kind: "program", argv: "/n" } as const;
  expect(fault("fs_read", {})).toMatch(/\/capabilities\/fs_read\/package: .* has the name of a built-in capability/);
  expect(fault("process_connect", {})).toMatch(/has the name of a built-in capability/);
  expect(fault("agent_run", {})).toMatch(/has the name of a built-in capability/);
  expect(fault("mcp_mine", {})).toMatch(/has a name that MCP servers and their tools have/);
  expect(fault("a__b", {})).toMatch(/has a name that MCP servers and their tools have/);
  expect(fault("mine", {}, {}, "other")).toMatch(/names the capability `other`, not `mine`/);
  expect(fault("m1", { manifest: { arguments: [program] } })).toMatch(/declares a program/);
  expect(fault("m2", { manifest: { arguments: [{ ...path, access: "list" }] } })).toMatch(/declares a folder/);
  expect(fault("m3", { manifest: { effect: "execute" } })).toMatch(
    /has the effect `execute`, where .* only none or read/,
  );
  const bounded = { type: "object", additionalProperties: false, properties: { path: { type: "string" } } };
  expect(fault("s1", { manifest: { input: { ...bounded, $id: "https://example.com/s" } } })).toMatch(
    /schema uses `\$id`/,
  );
  expect(fault("s2", { manifest: { input: { ...bounded, patternProperties: {} } } })).toMatch(
    /`patternProperties`, which/,
  );
  expect(fault("s3", { manifest: { output: { type: "object", properties: { a: { format: "uri" } } } } })).toMatch(
    /`format`/,
  );
  for (const pattern of ["^([a-z]+,)*[a-z]+$", "(?=a)b", "(", "a?b?c?d?e?f?g?h?i?", "\\p{L}\\p{L}\\p{L}\\p{L}"]) {
    const input = { ...bounded, properties: { path: { type: "string", pattern } } };
    expect(fault("s5", { manifest: { input } }), pattern).toContain(
      `the pattern \`${pattern}\`, which is not checked here`,
    );
  }
  const many = Array.from({ length: 20 }, (_, n) => [`p${n}`, { pattern: `^\\p{L}\\p{L}\\p{L}${n}$` }]);
  expect(fault("s7", { manifest: { output: { type: "object", properties: Object.fromEntries(many) } } })).toMatch(
    /the patterns of its output schema together take too long to compile/,
  );
  const halves = { ...bounded, properties: { path: { multipleOf: 0.5 } } };
  expect(fault("s6", { manifest: { input: halves } })).toMatch(/the `multipleOf` 0\.5, which is not checked here/);
  expect(fault("s4", { manifest: { output: { type: "array" } } })).toMatch(/output schema is not that of an object/);
  expect(fault("m4", { files: { "capability.json": '{"name":"m4","name":"m5"}' } })).toMatch(/is no JSON: /);
  expect(fault("m5", { files: { "capability.json": '{"name":"m5"}' } })).toMatch(/is no manifest: /);
  expect(fault("m6", {}, { allow: { write: ["kit"] } }, "m6")).toMatch(/calls could change .*m6/);
  expect(fault("m7", {}, { ask: { write: ["kit/m7/main.js"] } }, "m7")).toMatch(/calls could change .*m7/);
  expect(fault("gone", { files: {} }, {}, "gone")).toBe("no fault");
  rmSync(wrong.at("gone"), { recursive: true });
  expect(() => wrong.configuration({ capabilities: { gone: { package: wrong.at("gone") } } })).toThrow(
    /capability\.json/,
  );
  expect(() => wrong.configuration({ capabilities: { fs_read: { pins: "operator" } } })).toThrow(
    /only a `package` has pins/,
  );
  wrong.remove();
});
