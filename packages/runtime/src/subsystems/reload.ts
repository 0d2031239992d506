/**
 * Puts another policy in force while the runtime runs. It is examined as a whole beside the one that decides, recorded,
 * and only then put in force, between two decisions. If anything is wrong with it, everything stays as it was.
 */
import type { Journal } from "@femtoclaw/journal";
import { errorText, FemtoError, LIMITS, printable } from "@femtoclaw/protocol";
import type { ResolvedConfiguration } from "../configuration/resolved-configuration.ts";
import { operatorActor } from "../operators/operator-actor.ts";
import type { PolicySource } from "../options.ts";
import { Confinement } from "./confinement.ts";
import { activatedBody, type Policy, type PreparedPolicy } from "./policy.ts";

interface ReloadParts {
  readonly policy: Policy;
  readonly journal: Pick<Journal, "append">;
  /** The configuration in force. */
  readonly configuration: ResolvedConfiguration;
  /** Names of enabled capabilities whose programs need the sandbox. */
  readonly confined: readonly string[];
  /** Puts configuration and view in force, in the same turn as the policy. */
  putInForce(configuration: ResolvedConfiguration, confinement: Confinement): void;
}

/**
 * Resolves once the candidate is recorded as activated and decides. Throws FEMTO_RELOAD_RESTART if more than policy
 * changed, and FEMTO_POLICY_INVALID or FEMTO_SANDBOX_UNAVAILABLE if the candidate fails; a failure is recorded too.
 */
export async function reloadPolicy(parts: ReloadParts, candidate: PolicySource, by: string): Promise<void> {
  const { policy, journal } = parts;
  let revision: string | null = null;
  let prepared: PreparedPolicy;
  const confinement = new Confinement(candidate);
  try {
    requireSameBeside(parts.configuration, candidate.configuration);
    const sets = policy.compile(candidate);
    revision = sets.compiled.revision;
    await confinement.require(parts.confined);
    prepared = await policy.prepare(sets, candidate);
  } catch (error) {
    await reject(parts, revision, error, by);
    throw error;
  }
  const body = { ...activatedBody(prepared), configuration: candidate.configuration.sha256 };
  await journal.append({ type: "policy.activated", actor: operatorActor(by), ...NOBODYS, body });
  // INVARIANT: I3: both happen in one turn, after the record: no call is decided by one policy and confined by another.
  policy.replace(prepared);
  parts.putInForce(candidate.configuration, confinement);
}

/** Records that a candidate was rejected. If that is impossible, throws the reason for the rejection all the same. */
export async function recordRejection(
  journal: Pick<Journal, "append">,
  revision: string | null,
  error: unknown,
  by: string,
): Promise<void> {
  const code = error instanceof FemtoError ? error.code : "FEMTO_INTERNAL";
  const reason = printable(errorText(error), LIMITS.reasonChars);
  const body = { revision, code, reason };
  const actor = operatorActor(by);
  try {
    await journal.append({ type: "policy.rejected", actor, ...NOBODYS, body });
  } catch (unrecorded) {
    throw withReason(error, unrecorded);
  }
}

const NOBODYS = { session: null, execution: null } as const;

async function reject(
  { policy, journal }: ReloadParts,
  revision: string | null,
  error: unknown,
  by: string,
): Promise<void> {
  await recordRejection(journal, revision, error, by);
  if (revision === null) return;
  const code = error instanceof FemtoError ? error.code : "FEMTO_INTERNAL";
  policy.reject(revision, { code, reason: printable(errorText(error), LIMITS.reasonChars) });
}

/** The reason why the candidate was rejected, which matters more to the operator than that it could not be recorded. */
function withReason(error: unknown, unrecorded: unknown): FemtoError {
  const known =
    error instanceof FemtoError ? error : new FemtoError("FEMTO_INTERNAL", errorText(error), { cause: error });
  const { code, message, fix } = known;
  const reason = `${message} (this could not be recorded: ${errorText(unrecorded)})`;
  return new FemtoError(code, reason, { fix, cause: error });
}

/**
 * Which model a person chats with does not concern the host. The place of its key does, but that is part of the
 * authority.
 */
const LOADED_ANEW: ReadonlySet<keyof ResolvedConfiguration> = new Set(["authority", "shadow", "chat", "sha256"]);

/** What a running host cannot change: where its journal and its sockets lie, what it offers, and its limits. */
function requireSameBeside(now: ResolvedConfiguration, next: ResolvedConfiguration): void {
  // A name that only one of the two has was added or removed.
  const names = (Object.keys({ ...now, ...next }) as (keyof ResolvedConfiguration)[]).filter(
    (name) => !LOADED_ANEW.has(name) && plain(now[name]) !== plain(next[name]),
  );
  // INVARIANT: I8: a principal that lost its tables while its sessions are open would have the rights of everybody.
  const agents = ({ authority }: ResolvedConfiguration): string =>
    Object.keys(authority.agents ?? {})
      .sort()
      .join();
  if (agents(now) !== agents(next)) names.push("authority");
  if (names.length === 0) return;
  throw new FemtoError("FEMTO_RELOAD_RESTART", `the configuration also changes ${names.join(", ")}`);
}

/** The order of names in a table has no meaning. */
function plain(value: unknown): string {
  if (!(value instanceof Map)) return JSON.stringify(value) ?? "";
  return JSON.stringify([...(value as ReadonlyMap<string, unknown>)].sort(([a], [b]) => (a < b ? -1 : 1)));
}
