/**
 * What a decision costs: asked of the engine, and remembered; what it costs to decide recorded calls again,
 * and to load a large policy. No part of the runtime runs beside the engine here.
 */
import { builtinCapabilities } from "@femtoclaw/capabilities";
import {
  type CompiledPolicy,
  compilePolicy,
  createPolicyEngine,
  type DecisionRequest,
  DecisionShare,
  NO_HISTORY,
  type PolicyEngine,
} from "@femtoclaw/policy";
import type { Authority, FactQuestion, Facts } from "@femtoclaw/protocol";
import { Measurement, type MeasureRow, type Sample, type Subject } from "./measurement.ts";

/** Rules of the tables: of a small project, of a large one, and of one that somebody generated. */
const TABLE_RULES = [5, 50, 500];
const ROUNDS = 5;
const COLD_DECISIONS = 400;
const CACHED_DECISIONS = 20_000;
const RECORDED_CALLS = 1_000;
const REDECIDED_UNDER_RULES = 50;

interface Measured {
  readonly measurement: Measurement;
  readonly sample: () => Sample;
}

export async function measurePolicy(onProgress: (text: string) => void): Promise<MeasureRow[]> {
  const measured: Measured[] = [];
  for (const tableRules of TABLE_RULES) {
    const policy = compiled(tableRules);
    const engine = await createPolicyEngine();
    engine.activate(policy);
    engine.project();
    const rules = policy.rules.length;
    const add = (measure: string, unit: Subject["unit"], sample: () => Sample): void => {
      measured.push({ measurement: new Measurement({ preset: "policy", measure, unit, rules }), sample });
    };
    add("cold", "us", () => decisions(engine, COLD_DECISIONS, questions(tableRules)));
    const share = new DecisionShare();
    add("cached", "us", () => decisions(engine, CACHED_DECISIONS, questions(tableRules), share));
    if (tableRules === REDECIDED_UNDER_RULES) {
      const recorded = recordedCalls(tableRules);
      add("redecide", "calls/s", () => redecisions(engine, recorded));
    }
    if (tableRules === Math.max(...TABLE_RULES)) {
      // Another engine loads, so that the one that decides stays as it is.
      const loading = await createPolicyEngine();
      loading.activate(policy);
      add("load", "ms", () => load(loading, tableRules));
      add("project", "ms", () => projection(loading));
    }
  }
  for (const { sample } of measured) sample();
  // Interleaved, so that a disturbance of the machine meets every row and not one of them.
  for (let round = 1; round <= ROUNDS; round += 1) {
    onProgress(`round ${round} of ${ROUNDS}`);
    for (const { measurement, sample } of measured) measurement.add(sample());
  }
  return measured.map(({ measurement }) => measurement.row());
}

function timed(work: () => void): { readonly elapsedUs: number; readonly cpuUs: number } {
  const cpu = process.cpuUsage();
  const began = performance.now();
  work();
  const elapsedUs = (performance.now() - began) * 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return { elapsedUs, cpuUs: user + system };
}

function decisions(
  engine: PolicyEngine,
  count: number,
  asked: readonly DecisionRequest[],
  share?: DecisionShare,
): Sample {
  const requests = share === undefined ? asked : asked.map((request) => ({ ...request, share }));
  const { elapsedUs, cpuUs } = timed(() => {
    for (let index = 0; index < count; index += 1) engine.decide(requests[index % requests.length] as DecisionRequest);
  });
  return { value: elapsedUs / count, cpuUs: cpuUs / count };
}

/** Each call is read from its text, as from a journal, and is decided without anything remembered. */
function redecisions(engine: PolicyEngine, recorded: readonly string[]): Sample {
  const { elapsedUs, cpuUs } = timed(() => {
    for (const text of recorded) {
      const { capability, facts } = JSON.parse(text) as { readonly capability: string; readonly facts: Facts };
      engine.decideAll({ principal: "default", history: NO_HISTORY, capability, questions: facts.questions });
    }
  });
  return { value: (recorded.length * 1_000_000) / elapsedUs, cpuUs: cpuUs / recorded.length };
}

/** From the tables to a policy that has answered its first questions. */
function load(engine: PolicyEngine, tableRules: number): Sample {
  const { elapsedUs, cpuUs } = timed(() => engine.activate(compiled(tableRules)));
  return { value: elapsedUs / 1_000, cpuUs };
}

/** What is done once behind each load, when nobody waits for it; each round has loaded the policy before. */
function projection(engine: PolicyEngine): Sample {
  const { elapsedUs, cpuUs } = timed(() => engine.project());
  return { value: elapsedUs / 1_000, cpuUs };
}

/** Half of the rules are about files and half about programs, so that what is asked meets half of all rules. */
function compiled(tableRules: number): CompiledPolicy {
  return compilePolicy({
    authority: authority(tableRules),
    manifests: builtinCapabilities.map(({ manifest }) => manifest),
  });
}

const TOOL = "/usr/bin/tool";

function authority(tableRules: number): Authority {
  const half = Math.floor(tableRules / 2);
  const source = "bench";
  const paths = Array.from({ length: tableRules - half }, (_, index) => ({ path: `/ws/folder-${index}`, source }));
  const run = Array.from({ length: half }, (_, index) => ({
    path: TOOL,
    realPath: TOOL,
    use: { kind: "word" as const, word: `word-${index}`, flags: ["--one", "--two"] },
    source,
  }));
  const nothing = { read: [], write: [], run: [] };
  return {
    workspace: "/ws",
    searchPath: ["/usr/bin"],
    allow: { read: paths, write: [], run },
    ask: nothing,
    deny: nothing,
    floor: ["/state"],
    childRead: [],
    environment: {},
    environmentNames: ["LANG"],
  };
}

/** A few files and a few runs of programs, all of them permitted. */
function questions(tableRules: number): DecisionRequest[] {
  return Array.from({ length: 16 }, (_, index) => requestOf(index, tableRules));
}

function requestOf(index: number, tableRules: number): DecisionRequest {
  const folder = index % Math.max(1, Math.floor(tableRules / 2));
  const question: FactQuestion =
    index % 2 === 0
      ? { kind: "path", path: `/ws/folder-${folder}/a/file-${index}.txt`, exists: true, type: "file", bytes: 0 }
      : {
          kind: "program",
          program: TOOL,
          real_path: TOOL,
          device: "2049",
          inode: "131073",
          sha256: "a".repeat(64),
          word: `word-${folder}`,
          arguments: 3,
          flags: ["--one"],
          environment: ["LANG"],
          cwd: "/ws",
        };
  return {
    principal: "default",
    history: NO_HISTORY,
    capability: index % 2 === 0 ? "fs_read" : "process_exec",
    question,
  };
}

function recordedCalls(tableRules: number): string[] {
  return Array.from({ length: RECORDED_CALLS }, (_, index) => {
    const { capability, question } = requestOf(index, tableRules);
    return JSON.stringify({ capability, facts: { questions: [question] } });
  });
}
