/** Connects the gate to its real parts, and ends what runs behind it. */
import {
  connectionFacts,
  HostNames,
  type LookUp,
  ProgramDigests,
  type SecretLookUp,
  takeFacts,
} from "@femtoclaw/capabilities";
import type { Clock, Journal, JournalEntry } from "@femtoclaw/journal";
import { EVERYBODY, type ExecutionId, LIMITS, type SessionId } from "@femtoclaw/protocol";
import type { ActorSystem } from "../actors/system.ts";
import { CapabilityPackages } from "../capability-packages/capability-packages.ts";
import type { ResolvedConfiguration } from "../configuration/resolved-configuration.ts";
import { questionRecord } from "../operators/approvals.ts";
import { Outputs } from "../outputs/outputs.ts";
import type { SessionHistories } from "../projection/session-histories.ts";
import { RefusalSummary } from "../refusal-summary.ts";
import { Changes } from "../relay/changes.ts";
import { type OpenRelay, openRelay } from "../relay/open-relay.ts";
import { settled } from "../settled.ts";
import type { Policy } from "../subsystems/policy.ts";
import type { Registry } from "../subsystems/registry.ts";
import { Terminals, type TerminalsParts } from "../terminals/terminals.ts";
import { Upstreams } from "../upstreams/upstreams.ts";
import type { UpstreamsParts } from "../upstreams/upstreams-parts.ts";
import { FairSlots } from "./admission/fair-slots.ts";
import { LoopTurns } from "./admission/loop-turns.ts";
import { haltOf } from "./admission/session-halt.ts";
import type { SessionQuota } from "./admission/session-quota.ts";
import { Gate } from "./gate.ts";
import type { Standing } from "./gate-parts.ts";
import type { Problem } from "./verdict.ts";

interface OpenGateParts {
  readonly configuration: ResolvedConfiguration;
  readonly clock: Clock;
  newId(): string;
  readonly system: ActorSystem;
  readonly registry: Registry;
  readonly policy: Policy;
  standing(principal: string): Standing;
  readonly journal: Journal;
  readonly histories: SessionHistories;
  readonly lookUp: LookUp;
  readonly secrets: SecretLookUp;
  admission(): Problem | null;
  /** Whether the proposer of a session is still there. */
  isOpen(session: SessionId): boolean;
  quota(session: SessionId): SessionQuota;
  lost(id: ExecutionId, reason: string): void;
  /** What MCP servers of others and packaged capabilities need in addition to the parts of the gate. */
  readonly upstreams: Pick<UpstreamsParts, "pins" | "log">;
  /** Records something that the runtime itself does; whether that becomes durable is not waited for. */
  record(entry: JournalEntry): void;
  /** What terminals need in addition to the parts of the gate. */
  readonly terminals: Pick<TerminalsParts, "hasRoom">;
}

export interface OpenGate {
  readonly gate: Gate;
  readonly stages: FairSlots;
  /** Records from time to time how many calls were refused without a record of their own. */
  readonly refusals: RefusalSummary;
  readonly terminals: Terminals;
  readonly outputs: Outputs;
  readonly relay: OpenRelay;
  readonly upstreams: Upstreams;
  readonly packages: CapabilityPackages;
  /** Ends everything that a session began, once the session is over. */
  endSession(session: SessionId): void;
  /** Ends activities beside calls that are no longer permitted. */
  review(): void;
  /** Ends all such activities. */
  stopPrograms(reason: string): Promise<void>;
}

export function openGate({ configuration, registry, policy, ...parts }: OpenGateParts): OpenGate {
  const { limits, approvals } = configuration;
  const { concurrency, queue } = limits;
  const stages = new FairSlots({ slots: concurrency, slotsPerSession: concurrency, queue });
  const digests = new ProgramDigests();
  const names = new HostNames(parts.lookUp);
  const { secrets } = parts;
  const terminals = openTerminals({ ...parts, configuration, registry }, (opening) => gate.forbiddenNow(opening));
  const changes = new Changes(parts.clock);
  const offered = { names, onOffered: () => changes.offered() };
  const upstreams = openUpstreams({ ...parts, configuration, registry }, offered);
  const packages = new CapabilityPackages({
    ...parts.upstreams,
    packages: configuration.packages,
    append: (entry) => parts.journal.append(entry),
  });
  const outputs = new Outputs({ clock: parts.clock, unended: (execution) => gate.unended(execution) });
  const relay = openRelay({
    clock: parts.clock,
    newId: parts.newId,
    changes,
    upstreams,
    outputs,
    isOpen: (session) => parts.isOpen(session),
    append: (entry) => parts.journal.append(entry),
    halted: (session) => haltOf(parts.histories, session),
    forbidden: (opening) => gate.forbiddenNow(opening),
  });
  const gate: Gate = new Gate({
    clock: parts.clock,
    newId: () => parts.newId(),
    standing: (principal) => parts.standing(principal),
    stages,
    turns: new LoopTurns(parts.clock),
    effects: new FairSlots({ slots: LIMITS.effects, slotsPerSession: concurrency, queue }),
    // Every waiter for this room already holds a place among the effects, so the queue is never too short.
    outcomes: new FairSlots({ slots: LIMITS.outcomes, slotsPerSession: LIMITS.outcomes, queue: LIMITS.effects }),
    admission: () => parts.admission(),
    spawn: (id) => parts.system.spawn(id),
    resume: (id) => parts.system.resume(id),
    evict: (id) => parts.system.evict(id),
    registered: (tool) => packages.registered(tool, upstreams.registered(tool)),
    arriving: (tool) => packages.arriving(tool) ?? upstreams.arriving(tool),
    absent: (tool) => upstreams.absent(tool),
    takeFacts: (manifest, args, standing, session, hop = 0) => {
      const known = { digests, names, secrets, terminals: terminals.of(session) };
      return takeFacts({ manifest, args, ...standing, ...known, hop });
    },
    connectionFacts: (request) => connectionFacts({ ...request, names }),
    terminals,
    outputs,
    relays: relay.relays,
    histories: parts.histories,
    decide: (request) => policy.decide(request),
    onTrial: () => policy.shadow,
    append: (entry) => parts.journal.append(entry),
    approvals,
    log: parts.journal.origin,
    question: (seq) => questionRecord(parts.journal, seq),
    isOpen: (session) => parts.isOpen(session),
    quota: (session) => parts.quota(session),
    lost: (id, reason) => parts.lost(id, reason),
  });
  const refusals = new RefusalSummary({
    clock: parts.clock,
    takeCounts: () => gate.takeRefusalCounts(),
    record: (entry) => parts.record(entry),
  });
  const review = (): void => {
    for (const one of [terminals, upstreams, relay]) one.review();
  };
  const stopPrograms = async (reason: string): Promise<void> => {
    relay.stop(reason);
    await Promise.all([terminals.stop(reason), upstreams.stop(reason)]);
    outputs.stop();
  };
  const endSession = (session: SessionId): void => {
    for (const one of [terminals, relay]) one.endSession(session);
  };
  return { gate, stages, refusals, terminals, outputs, relay, upstreams, packages, endSession, review, stopPrograms };
}

function openTerminals(parts: Omit<OpenGateParts, "policy">, forbidden: TerminalsParts["forbidden"]): Terminals {
  return new Terminals({
    ...parts.terminals,
    record: (entry) => parts.record(entry),
    isOpen: (session) => parts.isOpen(session),
    clock: parts.clock,
    settings: parts.configuration.terminals,
    append: (entry) => parts.journal.append(entry),
    halted: (session) => haltOf(parts.histories, session),
    forbidden,
    isEnabled: (tool) => parts.registry.registered(tool)?.enabled === true,
    standing: (principal) => parts.standing(principal),
  });
}

function openUpstreams(
  parts: Omit<OpenGateParts, "policy">,
  { names, onOffered }: Pick<UpstreamsParts, "names" | "onOffered">,
): Upstreams {
  return new Upstreams({
    ...parts.upstreams,
    onOffered,
    configuration: parts.configuration,
    clock: parts.clock,
    names,
    secrets: parts.secrets,
    registered: (name) => parts.registry.registered(name),
    standing: (principal) => parts.standing(principal),
    principals: [EVERYBODY, ...Object.keys(parts.configuration.authority.agents ?? {})],
    append: (entry) => parts.journal.append(entry),
  });
}

/** Ends what runs behind an open gate: in its own time as long as there is some, then at once. */
export async function drain({ gate, stopPrograms }: OpenGate, clock: Clock, drainMs: number): Promise<void> {
  await settled(clock, gate.idle(), drainMs);
  gate.stopAll("the runtime is shutting down");
  await settled(clock, gate.idle(), 4 * LIMITS.graceMs);
  await stopPrograms("the host stopped");
  gate.close();
}
