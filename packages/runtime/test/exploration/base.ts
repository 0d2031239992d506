/** A real runtime that has just become idle, kept as an image of its disk, so that each trial begins there for little. */
import { MemoryDisk, MemoryKeyring, MemoryStore } from "@femtoclaw/journal";
import { type CompiledPolicy, createPolicyEngine, type PolicyEngine } from "@femtoclaw/policy";
import { createRuntime, type ResolvedConfiguration, type Runtime, resolveConfiguration } from "@femtoclaw/runtime";
import type { Surroundings } from "../../src/surroundings.ts";
import { capability } from "../runtime-fixture.ts";

export const TOOLS = ["work", "forbidden"] as const;

/** Nothing in an exploration depends on time; what the executions go through is chosen, not waited for. */
const CLOCK: Surroundings["clock"] = {
  nowUs: () => 1_700_000_000_000_000,
  monotonicUs: () => 1,
  after: () => () => undefined,
};

const CONFIGURATION: ResolvedConfiguration = resolveConfiguration({
  configuration: {
    workspace: "/tmp",
    memory: { path: "/femtoclaw-exploration/state" },
    host: { runtime_dir: "/femtoclaw-exploration/run" },
    capabilities: { work: true, forbidden: true },
  },
  baseDirectory: "/tmp",
  environment: { HOME: "/femtoclaw-exploration", XDG_RUNTIME_DIR: "/femtoclaw-exploration" },
});

export class Base {
  readonly clock = CLOCK;
  readonly keyring = new MemoryKeyring();
  readonly engine: PolicyEngine;
  readonly configuration = CONFIGURATION;
  readonly #ids = { last: 0 };
  #image = new MemoryDisk();
  #boot = "";
  #policy: CompiledPolicy | null = null;

  private constructor(engine: PolicyEngine) {
    this.engine = engine;
  }

  static async create(): Promise<Base> {
    const base = new Base(await createPolicyEngine());
    const disk = new MemoryDisk();
    await using runtime = await base.start(disk);
    base.#image = copyOf(disk);
    base.#boot = runtime.boot;
    base.#policy = runtime.policy;
    return base;
  }

  /** The boot that the image is in the midst of. */
  get boot(): string {
    return this.#boot;
  }

  get revision(): string {
    return this.#policy?.revision ?? "";
  }

  /** Records that every trial finds on its disk. */
  get size(): number {
    return this.#image.records.length;
  }

  disk(): MemoryDisk {
    return copyOf(this.#image);
  }

  /** The real runtime, over whatever a trial left on its disk. */
  async start(disk: MemoryDisk): Promise<Runtime> {
    return await createRuntime({
      configuration: CONFIGURATION,
      // Nothing is proposed to it, so that an effect of it would be one that recovery has caused.
      capabilities: TOOLS.map((name) => capability(name, () => Promise.reject(new Error("recovery ran an effect")))),
      permit: ["work"],
      surroundings: {
        clock: CLOCK,
        process: { node: "v26", platform: "explored", pid: 1, uid: 1_000 },
        newId: () => {
          this.#ids.last += 1;
          return `00000000-0000-4000-9000-${String(this.#ids.last).padStart(12, "0")}`;
        },
        randomBytes: (bytes) => new Uint8Array(bytes),
        openStorage: async () => ({ store: new MemoryStore(disk), keyring: this.keyring, claim: null }),
        openPolicyEngine: async () => this.engine,
      },
    });
  }
}

export function copyOf(disk: MemoryDisk): MemoryDisk {
  const copy = new MemoryDisk();
  copy.records.push(...disk.records);
  for (const [execution, seqs] of disk.index) copy.index.set(execution, [...seqs]);
  for (const [name, bytes] of disk.objects) copy.objects.set(name, bytes);
  return copy;
}
