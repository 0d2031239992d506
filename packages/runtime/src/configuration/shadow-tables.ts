/**
 * The configuration as it would be with the rules on trial in force, and where each of its values was written. Pure.
 */
import { type Configuration, jsonPointer, pointerTokens } from "@femtoclaw/protocol";
import type { Places, SourceOf } from "./places.ts";

/** Tables by name, with their keys. */
type Tables = Readonly<Record<string, object | undefined>>;

/** A key under `[shadow]` replaces the same key in force; everything else stays as in force. */
export function onTrial({ shadow = {}, ...inForce }: Configuration): Configuration {
  const { agent: agents, ...tables } = shadow;
  const whole: Configuration = over(inForce, tables);
  if (agents === undefined) return whole;
  const own = Object.entries(agents).map(([name, trial]) => [name, over(whole.agent?.[name] ?? {}, trial)]);
  return { ...whole, agent: { ...whole.agent, ...Object.fromEntries(own) } };
}

function over<T extends object>(inForce: T, trial: object): T {
  const before: Tables = inForce as Tables;
  const tables = Object.entries(trial as Tables).map(([name, keys]) => [name, { ...before[name], ...keys }]);
  return { ...inForce, ...Object.fromEntries(tables) };
}

/** Nobody proposes as an agent without a socket, so a trial of its rules would tell nothing. */
export function checkTrialAgents({ shadow, agent = {} }: Configuration, places: Places): void {
  for (const name of Object.keys(shadow?.agent ?? {})) {
    if (Object.hasOwn(agent, name)) continue;
    places.fault(
      ["shadow", "agent", name],
      `there is no agent of this name; add a table [agent.${name}], which may be empty`,
    );
  }
}

/** Places values that were written under `[shadow]` there, and all others where they are in force. */
export function trialSource({ shadow = {}, ...inForce }: Configuration, sourceOf: SourceOf): SourceOf {
  return (pointer) => {
    const tokens = pointerTokens(pointer);
    // An agent's tables stand one name deeper.
    const depth = tokens[0] === "agent" ? 2 : 0;
    const around = tokens.slice(0, depth);
    const [table = "", key] = tokens.slice(depth);
    const written = within(within(shadow, around), [table]);
    const isWhole = key === undefined && within(within(inForce, around), [table]) === null;
    const isOnTrial = written !== null && (isWhole || (key !== undefined && Object.hasOwn(written, key)));
    return sourceOf(isOnTrial ? jsonPointer(["shadow", ...tokens]) : pointer);
  };
}

/** The table under these names; null if there is none. */
function within(tables: object | null, names: readonly string[]): object | null {
  let found: object | null = tables;
  for (const name of names) {
    const next: unknown = found !== null && Object.hasOwn(found, name) ? (found as Tables)[name] : null;
    found = typeof next === "object" ? next : null;
  }
  return found;
}
