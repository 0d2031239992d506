/**
 * The part of an OCSF event that depends on the type of record: its class and activity, how it ended, its severity, and
 * what it was about. The names and numbers of all used classes are defined here.
 */
import type { ExecutionOutcomeBody, FactQuestion, TypedRecord } from "@femtoclaw/protocol";

export type IntentRecord = TypedRecord & { readonly type: "execution.intent" };

export type Attributes = Readonly<Record<string, unknown>>;

interface EventClass {
  readonly category: readonly [uid: number, name: string];
  readonly uid: number;
  readonly name: string;
  readonly activities: Readonly<Record<number, string>>;
}

export const SYSTEM = [1, "System Activity"] as const;
const APPLICATION = [6, "Application Activity"] as const;
const FILE: EventClass = {
  category: SYSTEM,
  uid: 1001,
  name: "File System Activity",
  activities: { 1: "Create", 2: "Read", 3: "Update", 4: "Delete", 5: "Rename", 8: "Get Attributes" },
};
const PROCESS: EventClass = { category: SYSTEM, uid: 1007, name: "Process Activity", activities: { 1: "Launch" } };
const LIFECYCLE: EventClass = {
  category: APPLICATION,
  uid: 6002,
  name: "Application Lifecycle",
  activities: { 1: "Install", 3: "Start", 6: "Enable", 7: "Disable", 8: "Update", 99: "Other" },
};
const API: EventClass = {
  category: APPLICATION,
  uid: 6003,
  name: "API Activity",
  activities: { 1: "Create", 4: "Delete", 99: "Other" },
};

/** The attributes that are particular to one record; all others are the same for every record. */
export interface Particulars {
  readonly of: EventClass;
  readonly activity: number;
  readonly status: readonly [id: number, caption: string, code?: string, detail?: string | undefined];
  readonly severity?: readonly [id: number, caption: string];
  /** Whether it was permitted; absent if nothing was decided. */
  readonly allowed?: boolean;
  readonly policy?: { readonly revision: string | null; readonly rules: readonly string[] };
  readonly attributes?: Attributes;
}

const SUCCESS = [1, "Success"] as const;
const UNKNOWN = [0, "Unknown"] as const;
export const INFORMATIONAL = [1, "Informational"] as const;
const LOW = [2, "Low"] as const;
const MEDIUM = [3, "Medium"] as const;

/** The particulars of a record. `intent` is that of the execution which the record ends, if it is still available. */
export function particularsOf(record: TypedRecord, intent: IntentRecord | undefined): Particulars {
  return ofExecution(record, intent) ?? ofRuntime(record) ?? ofChange(record) ?? operation(record, record.type);
}

/** Calls: what was permitted or refused, and how it ended. */
function ofExecution(record: TypedRecord, intent: IntentRecord | undefined): Particulars | null {
  switch (record.type) {
    case "execution.intent":
      return { ...useOf(record), status: [99, "Permitted"], allowed: true, policy: record.body };
    case "execution.outcome":
      return outcomeOf(record.body, intent, operation(record, record.type));
    case "execution.interrupted": {
      const use = intent === undefined ? operation(record, record.body.tool) : useOf(intent);
      const status = [...UNKNOWN, "FEMTO_EXECUTION_INTERRUPTED"] as const;
      return { ...use, status, severity: MEDIUM, allowed: true };
    }
    case "execution.inherited": {
      const status = [...UNKNOWN, "FEMTO_EXECUTION_INTERRUPTED"] as const;
      return { ...operation(record, record.body.tool), status, severity: MEDIUM, allowed: true };
    }
    case "execution.refused": {
      const { tool, error, revision, rules } = record.body;
      const status = [2, "Failure", error.code, error.reason] as const;
      const use = operation(record, tool ?? record.type);
      return { ...use, status, severity: LOW, allowed: false, policy: { revision, rules } };
    }
    case "execution.hop": {
      const { allowed, reason, revision, rules } = record.body;
      const decided = { ...operation(record, record.type), allowed, policy: { revision, rules } };
      return allowed ? decided : { ...decided, status: [2, "Failure", record.type, reason], severity: LOW };
    }
    default:
      return null;
  }
}

/** The life of the runtime itself: starts, faults, and changes of what is in force. */
function ofRuntime(record: TypedRecord): Particulars | null {
  switch (record.type) {
    case "boot.started":
      return lifecycle(3);
    case "deployment.changed": {
      const { change, reason } = record.body;
      if (change === "installed") return lifecycle(1);
      if (reason === undefined) return lifecycle(8);
      return { ...lifecycle(8), status: [2, "Failure", record.type, reason], severity: MEDIUM };
    }
    case "lifecycle.changed": {
      const { fault } = record.body;
      if (fault === undefined) return lifecycle(99);
      return { ...lifecycle(99), status: [2, "Failure", fault.code, fault.reason], severity: MEDIUM };
    }
    case "capability.enabled":
      return lifecycle(6);
    case "capability.disabled":
      return lifecycle(7);
    case "policy.activated":
    case "key.rotated":
      return lifecycle(8);
    case "policy.rejected": {
      const { code, reason } = record.body;
      return { ...lifecycle(8), status: [2, "Failure", code, reason], severity: MEDIUM };
    }
    case "supervision.crashed": {
      const { code, reason } = record.body;
      return { ...lifecycle(99), status: [2, "Failure", code, reason], severity: MEDIUM };
    }
    case "memory.changed": {
      const { state, reason } = record.body;
      if (state === "ready") return lifecycle(99);
      return { ...lifecycle(99), status: [2, "Failure", "FEMTO_DISK_FULL", reason], severity: MEDIUM };
    }
    default:
      return null;
  }
}

/** What operators, sessions and servers did besides calls. */
function ofChange(record: TypedRecord): Particulars | null {
  switch (record.type) {
    case "session.halted":
    case "overload.refused":
      return { ...operation(record, record.type), status: [2, "Failure", record.body.code], severity: LOW };
    case "values.erased":
    case "log.pruned":
      return { ...operation(record, record.type, 4), severity: LOW };
    case "secret.removed":
    case "upstream.unpinned":
      return operation(record, record.type, 4);
    case "upstream.stopped": {
      const status = [2, "Failure", record.type, record.body.reason] as const;
      return { ...operation(record, record.type), status, severity: LOW };
    }
    case "upstream.pinned":
    case "secret.added":
    case "log.created":
    case "epoch.opened":
      return operation(record, record.type, 1);
    default:
      return null;
  }
}

function lifecycle(activity: number): Particulars {
  return { of: LIFECYCLE, activity, status: SUCCESS, attributes: { app: { name: "FemtoClaw" } } };
}

function operation({ actor }: TypedRecord, name: string, activity = 99): Particulars {
  const attributes = {
    api: { operation: name, service: { name: "FemtoClaw" } },
    src_endpoint: { name: actor?.channel ?? "runtime" },
  };
  return { of: API, activity, status: SUCCESS, attributes };
}

/**
 * The command line as a person would type it, with all programs of a pipeline. Null if the arguments have another form
 * or were erased.
 */
function commandLine(questions: readonly FactQuestion[], { argv, pipeline }: Record<string, unknown>): string | null {
  const words: unknown[] = Array.isArray(pipeline) ? pipeline.map((stage) => Object(stage).argv ?? []) : [argv];
  const programs = questions.flatMap((question) => (question.kind === "program" ? question.program : []));
  if (!words.every(Array.isArray)) return null;
  return programs.map((program, at) => [program, ...(words[at] ?? [])].join(" ")).join(" | ");
}

/**
 * The class of a permitted call: a process or file activity if its capability is known to be one, otherwise an API
 * call.
 */
function useOf(intent: IntentRecord): Particulars {
  const { tool, args, facts } = intent.body;
  const [question] = facts?.questions ?? [];
  if (question?.kind === "program") {
    const { program, real_path: path, sha256 } = question;
    const { cwd } = args ?? {};
    const file = {
      name: baseName(path),
      path,
      type_id: 1,
      hashes: [{ algorithm_id: 3, algorithm: "SHA-256", value: sha256 }],
    };
    const line = commandLine(facts?.questions ?? [], args ?? {});
    const folder = typeof cwd === "string" ? { working_directory: cwd } : {};
    const said = line === null ? {} : { cmd_line: line };
    const process = { name: baseName(program), file, ...said, ...folder };
    return { of: PROCESS, activity: 1, status: SUCCESS, attributes: { process } };
  }
  const activity = FILE_ACTIVITIES[tool]?.(args ?? {});
  if (question?.kind === "path" && activity !== undefined) {
    const { path, type } = question;
    const kind = type === "directory" ? { type_id: 2, type: "Folder" } : { type_id: 1, type: "Regular File" };
    const file = { name: baseName(path), path, ...kind };
    return { of: FILE, activity, status: SUCCESS, attributes: { file } };
  }
  return operation(intent, tool);
}

const FILE_ACTIVITIES: Readonly<Record<string, (args: Attributes) => number>> = {
  fs_read: () => 2,
  fs_list: () => 2,
  fs_search: () => 2,
  fs_stat: () => 8,
  fs_write: ({ mode }) => (mode === "create" ? 1 : 3),
  fs_edit: () => 3,
  fs_mkdir: () => 1,
  fs_move: () => 5,
  fs_delete: () => 4,
};

function outcomeOf(body: ExecutionOutcomeBody, intent: IntentRecord | undefined, otherwise: Particulars): Particulars {
  const use = intent === undefined ? otherwise : useOf(intent);
  const { event, error, result, duration_us } = body;
  const status = event === "succeeded" ? SUCCESS : ([2, "Failure", error?.code ?? event, error?.reason] as const);
  const exitCode = use.of === PROCESS && typeof result?.["exit_code"] === "number" ? result["exit_code"] : undefined;
  const attributes = {
    ...use.attributes,
    ...optional({ exit_code: exitCode }),
    duration: Math.round(duration_us / 1_000),
  };
  const policy = intent === undefined ? {} : { policy: intent.body };
  return {
    ...use,
    status,
    severity: event === "succeeded" ? INFORMATIONAL : LOW,
    allowed: true,
    ...policy,
    attributes,
  };
}

/** Drops attributes that are undefined or null. */
export function optional(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined && value !== null));
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
