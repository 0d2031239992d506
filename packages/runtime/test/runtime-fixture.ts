/** A runtime in a folder of its own, capabilities made of functions, and ways to look at what was recorded. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Capability, CapabilityCall, CapabilityOutcome, JsonObject } from "@femtoclaw/capabilities";
import { type JournalReader, systemClock } from "@femtoclaw/journal";
import type { CapabilityManifest, Configuration, ProtocolMessage, RecordType, TypedRecord } from "@femtoclaw/protocol";
import {
  createRuntime,
  type ResolvedConfiguration,
  type Runtime,
  type RuntimeOptions,
  resolveConfiguration,
} from "@femtoclaw/runtime";
import { leaveReserve } from "@femtoclaw/testing";
import { onTestFinished } from "vitest";
import type { GateOutputs, GateTerminals } from "../src/gate/gate-parts.ts";
import { Relays } from "../src/relay/relays.ts";

export function manifestOf(name: string, changes: Partial<CapabilityManifest> = {}): CapabilityManifest {
  return {
    name,
    version: "1.0.0",
    description: "made for a test",
    input: {
      type: "object",
      additionalProperties: false,
      properties: { n: { type: "integer" }, text: { type: "string" } },
    },
    output: { type: "object" },
    arguments: [],
    effect: "none",
    idempotent: false,
    limits: { timeout_ms: 60_000, output_bytes: 1_048_576 },
    ...changes,
  };
}

type Effect = (call: CapabilityCall) => unknown;

/** A capability that does what the function does, however badly. */
export function misbehaving(name: string, effect: Effect, changes: Partial<CapabilityManifest> = {}): Capability {
  return {
    manifest: manifestOf(name, changes),
    isolation: "in-process",
    trusted: true,
    execute: effect as (call: CapabilityCall) => Promise<CapabilityOutcome>,
  };
}

/** A capability that succeeds with what the function gives. */
export function capability(
  name: string,
  result: (call: CapabilityCall) => JsonObject | Promise<JsonObject> = () => ({}),
  changes: Partial<CapabilityManifest> = {},
): Capability {
  return misbehaving(
    name,
    async (call) => ({ event: "succeeded", result: await result(call), sandbox: null }),
    changes,
  );
}

/** Of a gate that stands alone: what it runs opens none. */
export const NO_TERMINALS: GateTerminals = {
  keeper: () => ({
    open: () => Promise.reject(new Error("no terminal is opened here")),
    close: () => Promise.reject(new Error("no terminal is closed here")),
  }),
  review: () => undefined,
};

/** Of a gate that stands alone: nobody looks on. */
export const NO_OUTPUTS: GateOutputs = { take: () => undefined, tell: () => undefined, ended: () => undefined };
export const NO_RELAYS = new Relays({
  clock: systemClock(),
  outputs: NO_OUTPUTS,
  subscribe: () => Promise.reject(new Error("nothing is subscribed to here")),
  newId: () => "none",
  isOpen: () => true,
  append: () => Promise.reject(new Error("nobody is asked here")),
});

export function call(tool: string, args: Record<string, unknown> = {}): ProtocolMessage {
  return { tool_call: { tool, args } };
}

export interface StartOptions extends Partial<Omit<RuntimeOptions, "configuration">> {
  /** Added to a configuration that enables every capability of the test. */
  readonly configuration?: Configuration;
}

/** A folder in which one runtime after the other lives. */
export class Home {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), "femtoclaw-runtime-")));
  readonly state = join(this.root, "state");

  constructor() {
    mkdirSync(join(this.root, "workspace"));
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  /** Remembers the journal's files as a loss of power would leave them now; what comes back puts them there. */
  losePower(): () => void {
    const [journal, kept] = [join(this.state, "journal"), join(this.root, "kept")];
    cpSync(journal, kept, { recursive: true });
    return () => {
      // The folders stay the same ones: nothing was copied as far as a start can see.
      for (const name of readdirSync(journal)) rmSync(join(journal, name));
      cpSync(kept, journal, { recursive: true });
    };
  }

  configuration(configuration: Configuration = {}): ResolvedConfiguration {
    return resolveConfiguration({
      configuration: {
        workspace: "workspace",
        memory: { path: "state" },
        host: { runtime_dir: "run" },
        ...configuration,
      },
      baseDirectory: this.root,
      environment: { HOME: this.root },
    });
  }

  /**
   * Every capability is enabled and permitted, unless the configuration or `permit` say otherwise. The first runtime finds
   * nothing but the disk reserve.
   */
  async start({ configuration, capabilities = [], ...options }: StartOptions = {}): Promise<Runtime> {
    const names = capabilities.map(({ manifest }) => manifest.name);
    const enabled = Object.fromEntries(names.map((name) => [name, true as const]));
    if (!existsSync(this.state)) leaveReserve(this.state);
    return await createRuntime({
      configuration: this.configuration({
        ...configuration,
        capabilities: { ...enabled, ...configuration?.capabilities },
      }),
      capabilities,
      permit: names,
      ...options,
    });
  }
}

/** A home that is cleared away when the test is over. */
export function temporaryHome(): Home {
  const home = new Home();
  onTestFinished(() => home.remove());
  return home;
}

/** Starts a runtime in a new home; it is closed when the test is over. */
export async function startRuntime(options: StartOptions = {}): Promise<Runtime> {
  const runtime = await temporaryHome().start(options);
  onTestFinished(() => runtime.close({ drainMs: 0 }));
  return runtime;
}

export async function recordsOf(reader: JournalReader): Promise<TypedRecord[]> {
  const records: TypedRecord[] = [];
  for await (const record of reader.readFrom(0)) records.push(record);
  return records;
}

export function ofType<Type extends RecordType>(
  records: readonly TypedRecord[],
  type: Type,
): Extract<TypedRecord, { readonly type: Type }>[] {
  return records.filter((record) => record.type === type) as Extract<TypedRecord, { readonly type: Type }>[];
}

/** A promise that somebody else settles, and how often it was waited for. */
export class Barrier {
  readonly #open = Promise.withResolvers<void>();
  readonly #full = Promise.withResolvers<void>();
  #missing: number;

  /** `reached` resolves when so many have arrived. */
  constructor(expected = 1) {
    this.#missing = expected;
  }

  get reached(): Promise<void> {
    return this.#full.promise;
  }

  async arrive(): Promise<void> {
    this.#missing -= 1;
    if (this.#missing === 0) this.#full.resolve();
    await this.#open.promise;
  }

  open(): void {
    this.#open.resolve();
  }
}

/** A capability that keeps its place among the effects until it is let go: `full` is reached once it has it. */
export function holding(): { readonly holds: Capability; readonly full: Barrier } {
  const full = new Barrier();
  const holds = capability("holds", async () => {
    await full.arrive();
    return {};
  });
  return { holds, full };
}
