/** A folder of its own with a workspace and secrets, and calls as the runtime makes them. */
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Authority, Facts, PathGrant } from "@femtoclaw/protocol";
import { DEFAULT_CHILD_LIMITS, type SandboxView, viewOf } from "@femtoclaw/sandbox";
import {
  builtinCapabilities,
  type CapabilityCall,
  type CapabilityOutcome,
  type FactsResult,
  type JsonObject,
  keepBefore,
  ProgramDigests,
  type TerminalKeeper,
  takeFacts,
} from "../src/index.ts";

export const SECRET = "the-secret-that-nobody-may-see";

export const grants = (...paths: string[]): PathGrant[] => paths.map((path) => ({ path, source: "test" }));

export interface Call {
  readonly signal?: AbortSignal;
  readonly limits?: Partial<CapabilityCall["limits"]>;
  /** Runs between decision and effect; false is a denial. */
  readonly decide?: (facts: Facts) => boolean | Promise<boolean>;
  /** Runs when what stood there was kept, before the effect. */
  readonly between?: () => void;
  /** When it may go on; at once without it. */
  readonly turn?: () => Promise<void> | null;
  /** What policy says to a path below one that was decided on; yes to all without it. */
  readonly mayReach?: (path: string) => boolean;
}

export class Playground implements Disposable {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), "femtoclaw-capabilities-")));
  readonly workspace = join(this.root, "workspace");
  readonly digests = new ProgramDigests();
  authority: Authority = {
    workspace: this.workspace,
    searchPath: ["/usr/local/bin", "/usr/bin", "/bin"],
    allow: { read: grants(this.workspace), write: grants(join(this.workspace, "out")), run: [] },
    ask: { read: [], write: [], run: [] },
    deny: { read: [], write: [], run: [] },
    floor: [],
    childRead: [],
    environment: {},
    environmentNames: [],
  };
  sandbox: SandboxView | null = null;

  constructor() {
    mkdirSync(join(this.workspace, "out"), { recursive: true });
    mkdirSync(join(this.root, "outside"));
    writeFileSync(join(this.root, "outside/file"), SECRET);
  }

  /** Puts a file into the workspace and gives its path. */
  file(name: string, content: string | Buffer = "content"): string {
    const path = join(this.workspace, name);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, content);
    return path;
  }

  facts(tool: string, args: JsonObject): Promise<FactsResult> {
    const { manifest } = capability(tool);
    const { authority, sandbox, digests } = this;
    return takeFacts({ manifest, args, authority, sandbox, digests });
  }

  /** Null when the facts could not be taken or the decision was no. */
  async call(tool: string, args: JsonObject, call: Call = {}): Promise<CapabilityOutcome | null> {
    if (capability(tool).isolation === "sandbox") this.sandbox ??= viewOf(this.authority);
    const taken = await this.facts(tool, args);
    if (!taken.ok) return null;
    await using bound = taken.bound;
    if (!((await call.decide?.(taken.facts)) ?? true)) return null;
    const { keeps } = capability(tool);
    const { authority } = this;
    const isSecret = (text: string): boolean => text.includes(SECRET);
    const kept = keeps === undefined ? [] : await keepBefore(bound, { keeps, authority, isSecret });
    call.between?.();
    return await capability(tool).execute({
      args,
      bound,
      kept,
      mayReach: (path) => call.mayReach?.(path) ?? true,
      signal: call.signal ?? new AbortController().signal,
      turn: call.turn ?? (() => null),
      limits: { timeoutMs: 20_000, outputBytes: 1_048_576, child: DEFAULT_CHILD_LIMITS, ...call.limits },
      authority: this.authority,
      sandbox: this.sandbox,
      terminals: NO_TERMINALS,
      connect: null,
      trafficAt: () => ({ connections: 0, refused: 0, bytesOut: 0, bytesIn: 0 }),
      withoutSecrets: (text) => text,
      goOn: async () => ({ ok: false, reason: "there is no gate here" }),
    });
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** For calls that open and close none. */
/** What may happen to `out/a` between the decision about a call and its effect. */
export const CHANGES_OF_A: readonly (readonly [string, (place: Playground) => void])[] = [
  ["the file was replaced", (place) => renameSync(place.file("other"), join(place.workspace, "out/a"))],
  [
    "the file became a link",
    (place) => {
      rmSync(join(place.workspace, "out/a"));
      symlinkSync("../../outside/file", join(place.workspace, "out/a"));
    },
  ],
  ["the folder was moved", (place) => renameSync(join(place.workspace, "out"), join(place.workspace, "moved"))],
];

export const NO_TERMINALS: TerminalKeeper = {
  open: () => Promise.reject(new Error("no terminal is opened here")),
  close: () => Promise.reject(new Error("no terminal is closed here")),
};

export function capability(tool: string): (typeof builtinCapabilities)[number] {
  const found = builtinCapabilities.find(({ manifest }) => manifest.name === tool);
  if (found === undefined) throw new Error(`no capability ${tool}`);
  return found;
}
