/** A real runtime that has just become idle, kept as an image of its disk, so that each trial begins there for little. */

import { builtinCapabilities } from "@femtoclaw/capabilities";
import {
  type CompiledPolicy,
  compilePolicy,
  createPolicyEngine,
  type FileRule,
  type PolicyEngine,
} from "@femtoclaw/policy";
import type { SessionId } from "@femtoclaw/protocol";
import { createRuntime, type ResolvedConfiguration, type Runtime, resolveConfiguration } from "@femtoclaw/runtime";
import { MemoryDisk, MemoryKeyring, MemoryStore } from "@femtoclaw/testing/in-memory";
import type { Surroundings } from "../../src/surroundings.ts";
import { capability } from "../runtime-fixture.ts";

export const TOOLS = ["work", "forbidden", "asked"] as const;

const ASKED = 'action == Action::"asked"';
const fileRule = (id: string, text: string): FileRule => ({
  id: `file/exploration/${id}`,
  text,
  source: "exploration.cedar:1:1",
  reason: id,
  paths: [],
  hidden: [],
  kept: [],
});
/** Permits one tool only after an operator has said yes. */
const ASKING: readonly FileRule[] = [
  fileRule("permit", `permit (principal, ${ASKED}, resource);`),
  {
    ...fileRule("ask", `@approval("1")\nforbid (principal, ${ASKED}, resource)\nunless { context.approved };`),
    approvers: 1,
  },
];
/** What another policy says about it. */
const FORBIDDING: readonly FileRule[] = [...ASKING, fileRule("forbid", `forbid (principal, ${ASKED}, resource);`)];

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
    capabilities: { work: true, forbidden: true, asked: true },
  },
  baseDirectory: "/tmp",
  environment: { HOME: "/femtoclaw-exploration", XDG_RUNTIME_DIR: "/femtoclaw-exploration" },
});

/** A policy and an engine in which it is in force. */
export interface InForce {
  readonly compiled: CompiledPolicy;
  readonly engine: PolicyEngine;
}

export class Base {
  readonly clock = CLOCK;
  readonly keyring = new MemoryKeyring();
  /** In force when a trial begins, and what may be loaded in its place. */
  readonly policies: { readonly asking: InForce; readonly forbidding: InForce };
  readonly configuration = CONFIGURATION;
  readonly #ids = { last: 0 };
  #image = new MemoryDisk();
  #boot = "";
  #session = "" as SessionId;
  /** Calls whose effect began in a start after a crash. */
  readonly begun: number[] = [];

  private constructor(policies: Base["policies"]) {
    this.policies = policies;
  }

  static async create(): Promise<Base> {
    const base = new Base({ asking: await inForce(ASKING), forbidding: await inForce(FORBIDDING) });
    const disk = new MemoryDisk();
    await using runtime = await base.start(disk);
    // The session of all calls stands in the journal, as every session does that calls come from.
    const session = runtime.openSession({ channel: "library" });
    await session.propose({ message: { content: "begin" } });
    base.#session = session.id;
    base.#image = copyOf(disk);
    base.#boot = runtime.boot;
    return base;
  }

  /** The boot that the image is in the midst of. */
  get boot(): string {
    return this.#boot;
  }

  /** The session that every trial's calls come from. */
  get session(): SessionId {
    return this.#session;
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
    const { compiled, engine } = this.policies.asking;
    return await createRuntime({
      configuration: CONFIGURATION,
      // Nothing is proposed to it, so that an effect is one of a call that an operator had said yes to before.
      capabilities: TOOLS.map((name) =>
        capability(name, ({ args }) => {
          this.begun.push(Number(args["n"]));
          return {};
        }),
      ),
      permit: PERMIT.map(({ name }) => name),
      policyFiles: { rules: ASKING, triedRevision: compiled.revision },
      surroundings: {
        clock: CLOCK,
        process: { node: "v26", platform: "explored", pid: 1, uid: 1_000 },
        newId: () => {
          this.#ids.last += 1;
          return `00000000-0000-4000-9000-${String(this.#ids.last).padStart(12, "0")}`;
        },
        randomBytes: (bytes) => new Uint8Array(bytes),
        openStorage: async () => ({ createStore: () => new MemoryStore(disk), keyring: this.keyring, claim: null }),
        lookUp: async () => [],
        openPolicyEngine: async () => engine,
      },
    });
  }
}

const PERMIT = [{ name: "work", source: "permit" }];

async function inForce(fileRules: readonly FileRule[]): Promise<InForce> {
  const manifests = [...builtinCapabilities, ...TOOLS.map((name) => capability(name))].map(({ manifest }) => manifest);
  const compiled = compilePolicy({ authority: CONFIGURATION.authority, manifests, tools: PERMIT, fileRules });
  const engine = await createPolicyEngine();
  engine.activate(compiled);
  return { compiled, engine };
}

export function copyOf(disk: MemoryDisk): MemoryDisk {
  const copy = new MemoryDisk();
  copy.records.push(...disk.records);
  for (const [execution, seqs] of disk.index) copy.index.set(execution, [...seqs]);
  for (const [name, bytes] of disk.objects) copy.objects.set(name, bytes);
  return copy;
}
