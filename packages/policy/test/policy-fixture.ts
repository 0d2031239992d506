/** Capabilities, authorities and facts as the other packages would hand them over, written by hand. */
import {
  type Authority,
  type CapabilityManifest,
  type FetchGrant,
  fetchPattern,
  type HistoryFacts,
  type HostQuestion,
  type PathQuestion,
  type ProgramGrant,
  type ProgramQuestion,
} from "@femtoclaw/protocol";
import { ENGINE_VERSION, policyRevision } from "../src/compile.ts";
import type { CompiledPolicy, Decision, PolicyEngine } from "../src/index.ts";
import { createPolicyEngine, NO_HISTORY } from "../src/index.ts";
import { policyActions, schemaText } from "../src/schema.ts";
import type { CompiledRule } from "../src/tables/table-rule.ts";

function manifest(
  name: string,
  effect: CapabilityManifest["effect"],
  declared: CapabilityManifest["arguments"],
): CapabilityManifest {
  return {
    name,
    version: "1.0.0",
    description: name,
    input: { type: "object" },
    output: { type: "object" },
    arguments: declared,
    effect,
    idempotent: false,
    limits: { timeout_ms: 1_000, output_bytes: 1_000 },
  };
}

export const FS_READ = manifest("fs_read", "read", [{ pointer: "/path", kind: "path", access: "read" }]);
const FS_LIST = manifest("fs_list", "read", [{ pointer: "/path", kind: "path", access: "list" }]);
export const FS_WRITE = manifest("fs_write", "write", [
  { pointer: "/path", kind: "path", access: "create" },
  { pointer: "/content", kind: "size" },
]);
export const PROCESS_EXEC = manifest("process_exec", "execute", [
  { pointer: "/bin", kind: "program", argv: "/argv", cwd: "/cwd", env: "/env" },
]);
export const CLOCK = manifest("clock_now", "none", []);
export const BOTH_KINDS = manifest("both", "execute", [
  { pointer: "/path", kind: "path", access: "read" },
  { pointer: "/bin", kind: "program", argv: "/argv" },
]);
export const MANIFESTS = [FS_READ, FS_LIST, FS_WRITE, PROCESS_EXEC, CLOCK];

export interface AuthorityTables {
  readonly read?: readonly string[];
  readonly write?: readonly string[];
  readonly run?: readonly ProgramGrant[];
  readonly askRead?: readonly string[];
  readonly askWrite?: readonly string[];
  readonly askRun?: readonly ProgramGrant[];
  readonly denyRead?: readonly string[];
  readonly denyWrite?: readonly string[];
  readonly denyRun?: readonly ProgramGrant[];
  readonly floor?: readonly string[];
  readonly environmentNames?: readonly string[];
}

/** An authority whose sources are `file:1:1`, `file:2:1`, … in each table. */
export function authorityOf(tables: AuthorityTables = {}): Authority {
  const paths = (list: readonly string[] = []) => list.map((path, at) => ({ path, source: `file:${at + 1}:1` }));
  return {
    workspace: "/ws",
    searchPath: ["/usr/bin"],
    allow: { read: paths(tables.read), write: paths(tables.write), run: tables.run ?? [] },
    ask: { read: paths(tables.askRead), write: paths(tables.askWrite), run: tables.askRun ?? [] },
    deny: { read: paths(tables.denyRead), write: paths(tables.denyWrite), run: tables.denyRun ?? [] },
    floor: tables.floor ?? [],
    childRead: [],
    environment: {},
    environmentNames: tables.environmentNames ?? [],
  };
}

export function word(path: string, first: string, flags: readonly string[] = [], realPath = path): ProgramGrant {
  return { path, realPath, use: { kind: "word", word: first, flags }, source: "femtoclaw.toml:9:1" };
}

export function any(path: string, { unsafe = false, realPath = path } = {}): ProgramGrant {
  return { path, realPath, use: { kind: "any", unsafe }, source: "femtoclaw.toml:8:1" };
}

export function pathFacts(path: string, more: Partial<PathQuestion> = {}): PathQuestion {
  return { kind: "path", path, exists: true, type: "file", bytes: 0, ...more };
}

export function hostFacts(host: string, port: number, more: Partial<HostQuestion> = {}): HostQuestion {
  return {
    kind: "host",
    scheme: "https",
    host,
    port,
    addresses: ["192.0.2.1"],
    network: "public",
    method: "GET",
    path: "/",
    headers: [],
    injects: [],
    bytes: 0,
    hop: 0,
    ...more,
  };
}

/** An entry of `fetch`, as an operator writes it. */
export function fetchGrant(text: string): FetchGrant {
  const pattern = fetchPattern(text);
  if ("problem" in pattern) throw new Error(pattern.problem);
  return { ...pattern, source: "test" };
}

/** A table that says nothing of files and programs. */
export const fetchTable = (fetch: readonly FetchGrant[] = []) => ({ read: [], write: [], run: [], fetch });

/** The facts of a call, by the rules that the schema of facts states. */
export function programFacts(
  program: string,
  argv: readonly string[],
  more: Partial<ProgramQuestion> = {},
): ProgramQuestion {
  const first = argv[0];
  return {
    kind: "program",
    program,
    real_path: program,
    device: "1",
    inode: "2",
    sha256: "a".repeat(64),
    ...(first === undefined || first.startsWith("-") ? {} : { word: first }),
    arguments: argv.length,
    flags: flagTokens(argv),
    environment: [],
    cwd: "/ws",
    ...more,
  };
}

function flagTokens(argv: readonly string[]): string[] {
  const tokens = argv
    .filter((argument) => argument.startsWith("-"))
    .flatMap((argument) => {
      if (argument.startsWith("--")) return [argument, argument.replace(/=.*$/s, "")];
      return [argument, ...Array.from(argument.slice(1), (letter) => `-${letter}`)];
    });
  return [...new Set(tokens)].sort();
}

type MaybeHistory<Request> = Omit<Request, "history"> & { readonly history?: HistoryFacts };

/** An engine that takes a session for a new one where a test says nothing of its history. */
export interface TestEngine extends Omit<PolicyEngine, "decide" | "decideAll"> {
  decide(request: MaybeHistory<Parameters<PolicyEngine["decide"]>[0]>): Decision;
  decideAll(request: MaybeHistory<Parameters<PolicyEngine["decideAll"]>[0]>): Decision;
}

export async function testEngine(onFault?: (fault: string) => void): Promise<TestEngine> {
  const engine = await createPolicyEngine(onFault === undefined ? {} : { onFault });
  return {
    get revision() {
      return engine.revision;
    },
    get usable() {
      return engine.usable;
    },
    activate: (policy) => engine.activate(policy),
    load: (policy) => engine.load(policy),
    project: () => engine.project(),
    decide: (request) => engine.decide({ history: NO_HISTORY, ...request }),
    decideAll: (request) => engine.decideAll({ history: NO_HISTORY, ...request }),
  };
}

export async function activeEngine(policy: CompiledPolicy, onFault?: (fault: string) => void): Promise<TestEngine> {
  const engine = await testEngine(onFault);
  engine.activate(policy);
  engine.project();
  return engine;
}

const pathsIn = (text: string): string[] => Array.from(text.matchAll(/Path::"([^"]*)"/g), ([, path]) => path ?? "");

/** A set that no compiler of ours would write, with a revision that names it. */
export function handwritten(
  texts: Readonly<Record<string, string>>,
  namedPaths: readonly string[] = Object.values(texts).flatMap(pathsIn),
  manifests: readonly CapabilityManifest[] = MANIFESTS,
): CompiledPolicy {
  const actions = policyActions(
    manifests,
    manifests.some(({ arguments: [first] }) => first?.kind === "host"),
  );
  const schema = schemaText(actions);
  const rules: CompiledRule[] = Object.entries(texts).map(([id, text]) => ({ id, text, source: null, reason: id }));
  return {
    revision: policyRevision(ENGINE_VERSION, schema, rules),
    engine: ENGINE_VERSION,
    schemaText: schema,
    schemaSha256: "0".repeat(64),
    actions,
    rules,
    namedPaths,
  };
}
