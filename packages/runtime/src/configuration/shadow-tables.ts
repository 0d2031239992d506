/** The configuration as it would be with the rules on trial in force, and where each of its values was written. Pure. */
import { type Configuration, jsonPointer, pointerTokens } from "@femtoclaw/protocol";
import type { SourceOf } from "./places.ts";

type ShadowTables = NonNullable<Configuration["shadow"]>;

/** A key of the trial stands in the place of the same key in force; all the rest is as in force. */
export function onTrial({ shadow = {}, ...inForce }: Configuration): Configuration {
  const names = Object.keys(shadow) as (keyof ShadowTables)[];
  const tables = names.map((name) => [name, { ...inForce[name], ...shadow[name] }]);
  return { ...inForce, ...Object.fromEntries(tables) };
}

/** Names what was written under `[shadow]` there, and all the rest where it is in force. */
export function trialSource({ shadow = {}, ...inForce }: Configuration, sourceOf: SourceOf): SourceOf {
  return (pointer) => {
    const tokens = pointerTokens(pointer);
    const [table = "", key] = tokens;
    const written = Object.hasOwn(shadow, table) ? (shadow[table as keyof ShadowTables] ?? {}) : null;
    const isWhole = key === undefined && !Object.hasOwn(inForce, table);
    const isOnTrial = written !== null && (isWhole || (key !== undefined && Object.hasOwn(written, key)));
    return sourceOf(isOnTrial ? jsonPointer(["shadow", ...tokens]) : pointer);
  };
}
