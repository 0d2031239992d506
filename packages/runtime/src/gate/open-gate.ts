/** Connects the gate to its real parts, and ends what runs behind it. */
import { connectionFacts, HostNames, ProgramDigests, type SecretLookUp, takeFacts } from "@femtoclaw/capabilities";
import type { Clock, JournalEntry } from "@femtoclaw/journal";
import { EVERYBODY, LIMITS, type SessionId } from "@femtoclaw/protocol";
import type { ActorSystem } from "../actors/system.ts";
import { CapabilityPackages } from "../capability-packages/capability-packages.ts";
import type { ResolvedConfiguration } from "../configuration/resolved-configuration.ts";
import { questionRecord } from "../operators/approvals.ts";
import type { LogEntry } from "../options.ts";
import { Outputs } from "../outputs/outputs.ts";
import { RefusalSummary } from "../refusal-summary.ts";
import { Changes } from "../relay/changes.ts";
import { type OpenRelay, openRelay } from "../relay/open-relay.ts";
import type { Sessions } from "../sessions/sessions.ts";
import { settled } from "../settled.ts";
import type { InForce } from "../subsystems/in-force.ts";
import type { Memory } from "../subsystems/memory.ts";
import type { Surroundings } from "../surroundings.ts";
import { Terminals, type TerminalsParts } from "../terminals/terminals.ts";
import { Upstreams } from "../upstreams/upstreams.ts";
import type { UpstreamsParts } from "../upstreams/upstreams-parts.ts";
import { FairSlots } from "./admission/fair-slots.ts";
import { LoopTurns } from "./admission/loop-turns.ts";
import { haltOf } from "./admission/session-halt.ts";
import { Gate } from "./gate.ts";
import type { GateParts } from "./gate-parts.ts";
import type { Problem } from "./verdict.ts";

interface OpenGateParts {
  readonly configuration: ResolvedConfiguration;
  readonly clock: Clock;
  readonly surroundings: Pick<Surroundings, "newId" | "lookUp">;
  readonly system: ActorSystem;
  readonly inForce: Pick<InForce, "registry" | "policy" | "standing">;
  readonly memory: Pick<Memory, "journal" | "histories" | "projection" | "space">;
  readonly sessions: Pick<Sessions, "isOpen" | "quotaOf">;
  readonly secrets: SecretLookUp;
  admission(): Problem | null;
  /** Records something that the runtime itself does; whether that becomes durable is not waited for. */
  record(entry: JournalEntry): void;
  log(entry: LogEntry): void;
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
  /** Stops calls and such activities at once. Nobody waits for their end. */
  breakOff(reason: string): void;
}

export function openGate(parts: OpenGateParts): OpenGate {
  const { clock, configuration } = parts;
  const { journal, histories } = parts.memory;
  const { concurrency, queue } = configuration.limits;
  const newId = (): string => parts.surroundings.newId();
  const append = (entry: JournalEntry) => journal.append(entry);
  const isOpen = (session: SessionId): boolean => parts.sessions.isOpen(session);
  const stages = new FairSlots({ slots: concurrency, slotsPerSession: concurrency, queue });
  const names = new HostNames(parts.surroundings.lookUp);
  const terminals = openTerminals(parts, (opening) => gate.forbiddenNow(opening));
  const changes = new Changes(clock);
  const upstreams = openUpstreams(parts, { names, onOffered: () => changes.offered() });
  const packages = new CapabilityPackages({ ...ofPins(parts), packages: configuration.packages, append });
  const outputs = new Outputs({ clock, unended: (execution) => gate.unended(execution) });
  const relay = openRelay({
    ...{ clock, newId, changes, upstreams, outputs, isOpen, append },
    halted: (session) => haltOf(histories, session),
    forbidden: (opening) => gate.forbiddenNow(opening),
  });
  const gate = new Gate(gatePartsOf(parts, { stages, names, terminals, upstreams, packages, outputs, relay }));
  const refusals = new RefusalSummary({
    clock,
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
  const breakOff = (reason: string): void => {
    gate.stopAll(reason);
    void stopPrograms(reason);
  };
  const endSession = (session: SessionId): void => {
    for (const one of [terminals, relay]) one.endSession(session);
  };
  const beside = { stages, refusals, terminals, outputs, relay, upstreams, packages };
  return { gate, ...beside, endSession, review, stopPrograms, breakOff };
}

type Beside = Pick<OpenGate, "stages" | "terminals" | "outputs" | "relay" | "upstreams" | "packages"> & {
  readonly names: HostNames;
};

/** Every waiter holds a place among the effects here, too. */
function largeResultSlots(): FairSlots {
  const slots = LIMITS.largeResults;
  return new FairSlots({ slots, slotsPerSession: slots, queue: LIMITS.effects });
}

/** What the gate works with: the parts of the runtime, and what goes on beside the calls. */
function gatePartsOf(parts: OpenGateParts, beside: Beside): GateParts {
  const { configuration, system, inForce, sessions, surroundings } = parts;
  const { journal, histories } = parts.memory;
  const { stages, names, terminals, outputs, relay, upstreams, packages } = beside;
  const { concurrency, queue } = configuration.limits;
  const known = { digests: new ProgramDigests(), names, secrets: parts.secrets };
  return {
    clock: parts.clock,
    newId: () => surroundings.newId(),
    standing: (principal) => inForce.standing(principal),
    stages,
    turns: new LoopTurns(parts.clock),
    effects: new FairSlots({ slots: LIMITS.effects, slotsPerSession: concurrency, queue }),
    // Every waiter for this room already holds a place among the effects, so the queue is never too short.
    outcomes: new FairSlots({ slots: LIMITS.outcomes, slotsPerSession: LIMITS.outcomes, queue: LIMITS.effects }),
    largeResults: largeResultSlots(),
    admission: () => parts.admission(),
    spawn: (id) => system.spawn(id),
    resume: (id) => system.resume(id),
    evict: (id) => system.evict(id),
    registered: (tool) => packages.registered(tool, upstreams.registered(tool)),
    arriving: (tool) => packages.arriving(tool) ?? upstreams.arriving(tool),
    absent: (tool) => upstreams.absent(tool),
    takeFacts: (manifest, args, standing, session, hop = 0) =>
      takeFacts({ manifest, args, ...standing, ...known, terminals: terminals.of(session), hop }),
    connectionFacts: (request) => connectionFacts({ ...request, names }),
    terminals,
    outputs,
    relays: relay.relays,
    histories,
    decide: (request) => inForce.policy.decide(request),
    onTrial: () => inForce.policy.shadow,
    append: (entry) => journal.append(entry),
    approvals: configuration.approvals,
    log: journal.origin,
    question: (seq) => questionRecord(journal, seq),
    isOpen: (session) => sessions.isOpen(session),
    quota: (session) => sessions.quotaOf(session),
    lost: (execution, reason) => parts.log({ level: "error", event: "execution.lost", execution, reason }),
  };
}

function openTerminals(
  { memory, sessions, inForce, ...parts }: OpenGateParts,
  forbidden: TerminalsParts["forbidden"],
): Terminals {
  return new Terminals({
    hasRoom: () => memory.space.full === null,
    record: (entry) => parts.record(entry),
    isOpen: (session) => sessions.isOpen(session),
    clock: parts.clock,
    settings: parts.configuration.terminals,
    append: (entry) => memory.journal.append(entry),
    halted: (session) => haltOf(memory.histories, session),
    forbidden,
    isEnabled: (tool) => inForce.registry.registered(tool)?.enabled === true,
    standing: (principal) => inForce.standing(principal),
  });
}

function openUpstreams(
  parts: OpenGateParts,
  { names, onOffered }: Pick<UpstreamsParts, "names" | "onOffered">,
): Upstreams {
  const { configuration, inForce } = parts;
  return new Upstreams({
    ...ofPins(parts),
    onOffered,
    configuration,
    clock: parts.clock,
    names,
    secrets: parts.secrets,
    registered: (name) => inForce.registry.registered(name),
    standing: (principal) => inForce.standing(principal),
    principals: [EVERYBODY, ...Object.keys(configuration.authority.agents ?? {})],
    append: (entry) => parts.memory.journal.append(entry),
  });
}

/** What MCP servers of others and packaged capabilities are compared with, and where they are reported. */
function ofPins({ memory, log }: OpenGateParts): Pick<UpstreamsParts, "pins" | "log"> {
  return { pins: () => memory.projection.pins, log };
}

/** Ends what runs behind an open gate: in its own time as long as there is some, then at once. */
export async function drain({ gate, stopPrograms }: OpenGate, clock: Clock, drainMs: number): Promise<void> {
  await settled(clock, gate.idle(), drainMs);
  gate.stopAll("the runtime is shutting down");
  await settled(clock, gate.idle(), 4 * LIMITS.graceMs);
  await stopPrograms("the host stopped");
  gate.close();
}
