/** A folder laid out as a suite says, and a real runtime over the configuration in it, as a host starts one. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { JsonValue, Reply, TypedRecord } from "@femtoclaw/protocol";
import { createRuntime, type Runtime, systemSurroundings } from "@femtoclaw/runtime";
import { leaveReserve } from "@femtoclaw/testing";
import { type LoadedConfiguration, loadConfiguration } from "../../src/configuration/load-configuration.ts";
import { type LoadedPolicy, loadPolicy } from "../../src/process/preflight.ts";
import { CorpusServers, statedNames } from "./corpus-servers.ts";
import type { CallCase, CallSuite, Layout, Moves } from "./read-corpus.ts";
import { newSecret, type Picture, pictureOf } from "./witness.ts";

/**
 * In any text of a suite: `{root}`, `{secret}`, the host's process `{host}`, the program `{node}` that runs it, the
 * folder `{code}` of its code, the ports of the servers `{honest}` and `{canary}`, and `{text*times}`.
 */
const PLACEHOLDER = /\{(root|secret|host|node|code|honest|canary)\}|\{([^{}*]+)\*(\d+)\}/g;

export class CorpusPlace {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), "fc-")));
  readonly project = join(this.root, "project");
  readonly secret = newSecret();
  readonly environment = {
    HOME: join(this.root, "home"),
    XDG_RUNTIME_DIR: join(this.root, "run"),
    BYPASS_CANARY: this.secret,
  };

  readonly #values: Record<string, string> = {
    root: this.root,
    secret: this.secret,
    host: String(process.pid),
    node: realpathSync(process.execPath),
    code: resolve(import.meta.dirname, "../../src"),
  };

  constructor(layout: Layout, configuration: string, ports: Readonly<Record<string, string>> = {}) {
    Object.assign(this.#values, ports);
    for (const name of ["project", "home", "run", ...(layout.folders ?? [])]) this.#folder(name);
    const files = { ...layout.files, "project/femtoclaw.toml": configuration };
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(this.#path(name), this.text(content), { mode: 0o644 });
    }
    for (const name of layout.programs ?? []) this.#program(name, `echo "ran \${0##*/} $*"`);
    for (const name of layout.traps ?? []) this.#program(name, this.text(TRAP));
    for (const [name, target] of Object.entries(layout.links ?? {})) symlinkSync(this.text(target), this.#path(name));
    for (const [name, target] of Object.entries(layout.hard_links ?? {}))
      linkSync(this.#path(target), this.#path(name));
    for (const name of layout.pipes ?? []) execFileSync("mkfifo", [this.#path(name)]);
  }

  /** The text with its placeholders filled in. */
  text(written: string): string {
    return written.replaceAll(PLACEHOLDER, (_, name: string | undefined, part = "", times = "0") => {
      if (name === undefined) return String(part).repeat(Number(times));
      return this.#values[name] ?? "";
    });
  }

  /** Loads configuration and policy, as a host does before it starts. */
  async load({
    found,
  }: {
    readonly found?: boolean;
  } = {}): Promise<Omit<LoadedConfiguration, "policyFiles"> & LoadedPolicy> {
    const loaded = loadConfiguration({
      cwd: this.project,
      environment: this.environment,
      stateFlag: join(this.root, "state"),
      ...(found === true ? {} : { configFlag: join(this.project, "femtoclaw.toml") }),
    });
    return { ...loaded, ...(await loadPolicy(loaded)) };
  }

  move(moves: Moves = []): void {
    for (const [from, to] of moves) renameSync(this.absolute(from), this.absolute(to));
  }

  undo(moves: Moves = []): void {
    for (const [from, to] of moves.toReversed()) renameSync(this.absolute(to), this.absolute(from));
  }

  /** State and sockets are the runtime's own to change. */
  picture(outside: readonly string[] = []): Picture {
    return pictureOf([this.root, ...outside], new Set([join(this.root, "state"), join(this.root, "run")]));
  }

  absolute(path: string): string {
    return resolve(this.root, this.text(path));
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  #path(name: string): string {
    const path = this.absolute(name);
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    return path;
  }

  #folder(name: string): void {
    mkdirSync(this.absolute(name), { recursive: true, mode: 0o755 });
  }

  #program(name: string, script: string): void {
    const path = this.#path(name);
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
  }
}

/** Tries to be noticed in every way that there is: both outputs, and a file in each folder that it may write to. */
const TRAP = `echo {secret}; echo {secret} >&2
for folder in {root} {root}/project {root}/project/*/ {root}/*/; do (echo > "$folder/tripped") 2>/dev/null; done`;

/** One runtime for all cases of a suite. */
export class CorpusRuntime {
  readonly place: CorpusPlace;
  readonly runtime: Runtime;
  /** What the runtime said in its log. */
  readonly log: readonly unknown[];
  /** Null for a suite that is about no hosts. */
  readonly servers: CorpusServers | null;
  readonly #afterDecision: { act: (() => void) | null };

  private constructor(
    { place, servers }: { readonly place: CorpusPlace; readonly servers: CorpusServers | null },
    runtime: Runtime,
    log: readonly unknown[],
    after: { act: (() => void) | null },
  ) {
    this.place = place;
    this.servers = servers;
    this.runtime = runtime;
    this.log = log;
    this.#afterDecision = after;
  }

  static async start(suite: CallSuite): Promise<CorpusRuntime> {
    const servers = suite.names === undefined ? null : await CorpusServers.start();
    const place = new CorpusPlace(suite, suite.configuration, servers?.values);
    const log: unknown[] = [];
    const after: { act: (() => void) | null } = { act: null };
    try {
      const { resolved: configuration, policyFiles } = await place.load();
      leaveReserve(join(place.root, "state"));
      const runtime = await createRuntime({
        configuration,
        policyFiles,
        log: (entry) => log.push(entry),
        surroundings: { ...systemSurroundings(), lookUp: statedNames(suite.names ?? {}) },
        // The machine hears of the decision before anything is done about it: the one moment in between.
        inspect: (event) => {
          if (event.type !== "@xstate.event" || event.event.type !== "permitted") return;
          after.act?.();
          after.act = null;
        },
      });
      return new CorpusRuntime({ place, servers }, runtime, log, after);
    } catch (error) {
      place.remove();
      throw error;
    }
  }

  /** Proposes the bytes of the case in a session of its own, so that no quota of refusals is shared. */
  async propose(one: CallCase): Promise<Reply> {
    await using session = this.runtime.openSession({ channel: "agent" });
    this.#afterDecision.act = one.between === undefined ? null : () => this.place.move(one.between);
    const reply = await session.propose(messageOf(one, this.place));
    if (this.#afterDecision.act !== null) throw new Error(`nothing was moved, because the call was not permitted`);
    return reply;
  }

  async records(): Promise<TypedRecord[]> {
    const records: TypedRecord[] = [];
    for await (const record of this.runtime.reader.readFrom(0)) records.push(record);
    return records;
  }

  async close(): Promise<void> {
    await this.runtime.close({ drainMs: 0 });
    await this.servers?.close();
    this.place.remove();
  }
}

/** The very bytes that an agent would send. */
function messageOf(one: CallCase, place: CorpusPlace): Uint8Array {
  if (one.base64 !== undefined) return Buffer.from(one.base64, "base64");
  if (one.message !== undefined) return Buffer.from(place.text(one.message));
  const [tool, args] = callOf(one);
  return Buffer.from(JSON.stringify({ tool_call: { tool: place.text(tool), args: filled(args, place) } }));
}

function callOf(one: CallCase): [tool: string, args: Readonly<Record<string, JsonValue>>] {
  if (one.tool !== undefined) return [one.tool, one.args ?? {}];
  if (one.read !== undefined) return ["fs_read", { path: one.read }];
  if (one.list !== undefined) return ["fs_list", { path: one.list }];
  for (const mode of ["create", "overwrite", "append"] as const) {
    const path = one[mode];
    if (path !== undefined) return ["fs_write", { path, content: "written by a call\n", mode }];
  }
  const [bin = "", ...argv] = one.run ?? [];
  const { env, cwd, stdin } = one;
  const more = {
    ...(env && { env }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(stdin === undefined ? {} : { stdin }),
  };
  return ["process_exec", { bin, argv, ...more }];
}

/** Placeholders in texts and in names, at any depth. */
function filled(value: JsonValue, place: CorpusPlace): JsonValue {
  if (typeof value === "string") return place.text(value);
  if (Array.isArray(value)) return value.map((item) => filled(item, place));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [place.text(name), filled(item, place)]));
}
