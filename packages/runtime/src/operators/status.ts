/** A running runtime at a glance, for operators. */
import type { Clock } from "@femtoclaw/journal";
import type { Fault, Phase } from "@femtoclaw/machines";
import { NO_HISTORY } from "@femtoclaw/policy/live";
import { type Deployment, type LogParent, type RecordActor, type UpstreamView, VERSION } from "@femtoclaw/protocol";
import type { ActorSystem } from "../actors/system.ts";
import type { Integrity } from "../deployment.ts";
import type { OpenGate } from "../gate/open-gate.ts";
import type { Problem } from "../gate/verdict.ts";
import { type Counters, ZERO_COUNTERS } from "../projection/executions.ts";
import type { InForce } from "../subsystems/in-force.ts";
import type { Memory } from "../subsystems/memory.ts";
import type { Shadow } from "../subsystems/shadow.ts";
import type { TelemetryGauges } from "../telemetry-port.ts";
import { quarantined } from "../upstreams/offer.ts";
import type { WitnessStatus } from "../witness-port.ts";

/** An open session: who proposes in it, and what it has done so far. */
export interface SessionStatus {
  readonly id: string;
  readonly channel: string;
  readonly principal: string;
  /** The name that the client gives itself, which proves nothing. */
  readonly agent: string | null;
  /** Permitted calls, and the bytes that they sent and got back. */
  readonly calls: number;
  readonly bytes: number;
  /** Permitted calls that did not succeed, and refused calls. */
  readonly failures: number;
  readonly refusals: number;
  /** Seconds since the session was opened. */
  readonly seconds: number;
  /** The code with which the session was halted; null while it may go on. */
  readonly halted: string | null;
}

/** LIMIT: sessions in one status: more than the sockets have connections, fewer than an embedder may open. */
const LISTED_SESSIONS = 1_024;

/** Rules on trial. */
export interface ShadowStatus {
  readonly revision: string;
  readonly rules: number;
  /** Calls that the rules on trial could not decide since they were loaded. */
  readonly undecided: number;
}

/** An MCP server of others. */
export interface UpstreamStatus extends Pick<UpstreamView, "server" | "status" | "reason"> {
  /** How many of its tools are new or changed, and not offered before an operator accepts them. */
  readonly waiting: number;
}

/** The runtime at one moment. The names are those of `femtoclaw status --json`. */
export interface RuntimeStatus {
  readonly version: string;
  /** State of the lifecycle machine. Calls are taken in `idle` and `executing`. */
  readonly phase: Phase;
  /** Whether calls are taken. If not, `not_ready` says why. */
  readonly ready: boolean;
  readonly not_ready: { readonly code: string; readonly reason: string } | null;
  /** Identifier of this start. */
  readonly boot: string;
  /** Number of boots that this journal has seen. */
  readonly boots: number;
  readonly pid: number;
  readonly state_directory: string;
  /** Name of the log, and of the log that it continues. */
  readonly log: string;
  readonly parent: LogParent | null;
  /** Number of durable records. */
  readonly records: number;
  readonly memory: {
    /** State of the memory machine. It is `full` while the disk has no room to spare and no calls are taken. */
    readonly state: string;
    readonly full: string | null;
    /** Free bytes on the disk of the state directory, not counting the reserve; null if the disk does not tell. */
    readonly free_bytes: number | null;
    /** Bytes of the journal's files; null for a journal that is not on a disk. */
    readonly journal_bytes: number | null;
    readonly reserve_bytes: number;
  };
  /** Counted since the journal began. */
  readonly counters: Counters;
  /** Interrupted executions for which no operator has said yet what became of them. */
  readonly unresolved: number;
  /** Executions in the gate, and calls that wait to enter it. */
  readonly running: number;
  readonly queued: number;
  /** Open sessions, newest first. */
  readonly sessions: readonly SessionStatus[];
  /** Calls that wait for an operator. */
  readonly waiting: number;
  /** Terminals on which a program runs. */
  readonly terminals: number;
  /** MCP servers of others that are named in the configuration. */
  readonly upstreams: readonly UpstreamStatus[];
  readonly policy: { readonly revision: string; readonly rules: number; readonly shadow: ShadowStatus | null };
  readonly capabilities: { readonly enabled: number; readonly registered: number };
  /** What confines programs; null if no enabled capability needs a sandbox. */
  readonly sandbox: string | null;
  /** How memory and processes of children are limited; null if there is no sandbox. */
  readonly bounds: string | null;
  /** State of the observability machine. */
  readonly observability: string;
  readonly witnesses: readonly WitnessStatus[];
  /** Whether the running program is known to be the released one, and the reason for that verdict. */
  readonly integrity: Integrity["verdict"];
  readonly integrity_reason: string;
  /** What is deployed; null until that is known. */
  readonly deployment: Deployment | null;
  /** The first fault with which the runtime could not go on; null if there is none. */
  readonly fault: Fault | null;
}

interface StatusParts {
  readonly boot: string;
  readonly system: ActorSystem;
  readonly clock: Clock;
  readonly memory: Memory | null;
  readonly open: OpenGate | null;
  readonly inForce: InForce;
  readonly sessions: readonly { readonly id: string; readonly actor: RecordActor }[];
  readonly witnesses: readonly WitnessStatus[];
  readonly integrity: Integrity;
  /** Why no calls are taken; null while they are taken. */
  readonly problem: Problem | null;
  readonly fault: Fault | null;
}

/** What telemetry measures in addition to the records. */
export function gaugesOf(status: RuntimeStatus): TelemetryGauges {
  const { ready, running, queued, unresolved, waiting, sessions, terminals, memory } = status;
  return {
    ready,
    running,
    queued,
    unresolved,
    waiting,
    terminals,
    sessions: sessions.length,
    freeBytes: memory.free_bytes,
    journalBytes: memory.journal_bytes,
  };
}

export function statusOf({ system, memory, open, inForce, problem, integrity, ...parts }: StatusParts): RuntimeStatus {
  const { compiled, shadow } = inForce;
  const { probe } = inForce.confinement;
  const capabilities = inForce.capabilities();
  return {
    version: VERSION,
    phase: system.phase,
    ready: problem === null,
    not_ready: problem === null ? null : { code: problem.code, reason: problem.reason },
    boot: parts.boot,
    boots: memory?.projection.host.boots ?? 0,
    pid: process.pid,
    state_directory: inForce.configuration.stateDirectory,
    log: memory?.journal.origin ?? "",
    parent: memory?.projection.host.parent ?? null,
    records: memory?.journal.size ?? 0,
    memory: {
      state: String(system.state("memory")?.value ?? "down"),
      full: memory?.space.full ?? null,
      free_bytes: memory?.space.freeBytes ?? null,
      journal_bytes: memory?.space.journalBytes ?? null,
      reserve_bytes: memory?.space.reserveBytes ?? 0,
    },
    counters: memory?.projection.counters ?? ZERO_COUNTERS,
    unresolved: memory?.projection.unresolved.size ?? 0,
    running: open?.gate.running ?? 0,
    queued: open?.stages.queued ?? 0,
    sessions: parts.sessions
      .slice(-LISTED_SESSIONS)
      .reverse()
      .map((session) => sessionStatus(session, memory, parts.clock)),
    waiting: open?.gate.questions.open.size ?? 0,
    terminals: open?.terminals.running ?? 0,
    upstreams: (open?.upstreams.list() ?? []).map(upstreamStatus),
    policy: {
      revision: compiled?.revision ?? "",
      rules: compiled?.rules.length ?? 0,
      shadow: shadow === null ? null : shadowStatus(shadow),
    },
    capabilities: {
      enabled: capabilities.filter(({ enabled }) => enabled).length,
      registered: capabilities.length,
    },
    sandbox: probe?.ok === true ? probe.title : null,
    bounds: probe?.ok === true ? probe.bounds.by : null,
    observability: String(system.state("observability")?.value ?? "down"),
    witnesses: parts.witnesses,
    integrity: integrity.verdict,
    integrity_reason: integrity.reason,
    deployment: inForce.deployment,
    fault: parts.fault,
  };
}

function upstreamStatus({ server, status, reason, tools }: UpstreamView): UpstreamStatus {
  return { server, status, reason, waiting: quarantined(tools).length };
}

function shadowStatus({ compiled, undecided }: Shadow): ShadowStatus {
  return { revision: compiled.revision, rules: compiled.rules.length, undecided };
}

function sessionStatus(
  { id, actor }: StatusParts["sessions"][number],
  memory: Memory | null,
  clock: Clock,
): SessionStatus {
  const { principal, agent, channel } = actor;
  const moment = { nowUs: clock.nowUs(), monotonicUs: clock.monotonicUs() };
  const facts = memory?.histories.facts(id, principal, moment) ?? NO_HISTORY;
  const { calls, bytes, failures, refusals, seconds } = facts;
  const halted = memory?.histories.of(id)?.halted?.code ?? null;
  return { id, channel, principal, agent, calls, bytes, failures, refusals, seconds, halted };
}
