/**
 * The cost of a decision, made by the engine or remembered; of deciding recorded calls again; and of loading a large
 * policy. Only the engine runs here, without a runtime.
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
import type { Aim } from "./aim.ts";
import type { BenchContext } from "./context.ts";
import { scaled } from "./effort.ts";
import { Measurement, type MeasureRow, type Sample, type Subject } from "./measurement.ts";
import { timedAtOnce } from "./timed.ts";

/** Numbers of rules in the tables: of a small project, of a large one, and of a generated one. */
const TABLE_RULES = [5, 50, 500];
const COLD_DECISIONS = 400;
const CACHED_DECISIONS = 20_000;
const RECORDED_CALLS = 1_000;
const REDECIDED_UNDER_RULES = 50;
const COLD_AIM_RULES = 50;

interface Measured {
  readonly measurement: Measurement;
  readonly aims: readonly Aim<"value">[];
  readonly sample: () => Sample;
}

export async function measurePolicy({ effort, onProgress }: BenchContext): Promise<MeasureRow[]> {
  const measured: Measured[] = [];
  for (const tableRules of TABLE_RULES) {
    const policy = compiled(tableRules);
    const engine = await createPolicyEngine();
    engine.activate(policy);
    engine.project();
    const rules = policy.rules.length;
    const add = (measure: string, unit: Subject["unit"], sample: () => Sample, ...aims: Aim<"value">[]): void => {
      measured.push({ measurement: new Measurement({ preset: "policy", measure, unit, rules }), aims, sample });
    };
    const cold = scaled(COLD_DECISIONS, effort);
    const coldAims: Aim<"value">[] = tableRules === COLD_AIM_RULES ? [{ figure: "value", atMost: 200 }] : [];
    add("cold", "us", () => decisions(engine, cold, questions(tableRules)), ...coldAims);
    const share = new DecisionShare();
    const cached = scaled(CACHED_DECISIONS, effort);
    const recalled = () => decisions(engine, cached, questions(tableRules), share);
    add("cached", "us", recalled, { figure: "value", atMost: 5 });
    if (tableRules === REDECIDED_UNDER_RULES) {
      const recorded = recordedCalls(tableRules, scaled(RECORDED_CALLS, effort));
      add("redecide", "calls/s", () => redecisions(engine, recorded), { figure: "value", atLeast: 1_000 });
    }
    if (tableRules === Math.max(...TABLE_RULES)) {
      // A second engine loads, so that the deciding one is not disturbed.
      const loading = await createPolicyEngine();
      loading.activate(policy);
      add("load", "ms", () => load(loading, tableRules), { figure: "value", atMost: 150 });
      add("project", "ms", () => projection(loading));
    }
  }
  for (const { sample } of measured) sample();
  // Interleaved, so that a disturbance of the machine hits every row instead of one.
  for (let round = 1; round <= effort.rounds; round += 1) {
    onProgress(`round ${round} of ${effort.rounds}`);
    for (const { measurement, sample } of measured) measurement.add(sample());
  }
  return measured.map(({ measurement, aims }) => measurement.row({ aims }));
}

function decisions(
  engine: PolicyEngine,
  count: number,
  asked: readonly DecisionRequest[],
  share?: DecisionShare,
): Sample {
  const requests = share === undefined ? asked : asked.map((request) => ({ ...request, share }));
  const { elapsedMs, cpuUs } = timedAtOnce(() => {
    for (let index = 0; index < count; index += 1) engine.decide(requests[index % requests.length] as DecisionRequest);
  });
  return { value: (elapsedMs * 1_000) / count, cpuUs: cpuUs / count };
}

/** Each call is read from its text, as from a journal, and decided without anything remembered. */
function redecisions(engine: PolicyEngine, recorded: readonly string[]): Sample {
  const { elapsedMs, cpuUs } = timedAtOnce(() => {
    for (const text of recorded) {
      const { capability, facts } = JSON.parse(text) as { readonly capability: string; readonly facts: Facts };
      engine.decideAll({ principal: "default", history: NO_HISTORY, capability, questions: facts.questions });
    }
  });
  return { value: (recorded.length * 1_000) / elapsedMs, cpuUs: cpuUs / recorded.length };
}

/** From the tables to a policy that has answered its first questions. */
function load(engine: PolicyEngine, tableRules: number): Sample {
  const { elapsedMs, cpuUs } = timedAtOnce(() => engine.activate(compiled(tableRules)));
  return { value: elapsedMs, cpuUs };
}

/** What is done once after each load, when nobody waits for it; each round has loaded the policy before. */
function projection(engine: PolicyEngine): Sample {
  const { elapsedMs, cpuUs } = timedAtOnce(() => engine.project());
  return { value: elapsedMs, cpuUs };
}

/** Half of the rules are about files and half about programs, so that a question concerns half of all rules. */
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

function recordedCalls(tableRules: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const { capability, question } = requestOf(index, tableRules);
    return JSON.stringify({ capability, facts: { questions: [question] } });
  });
}
