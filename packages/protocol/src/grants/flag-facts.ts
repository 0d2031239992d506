/**
 * How an argument that begins with a dash appears in the facts. The code that takes facts and the code that checks
 * lists of flags share this rule, because a spelling that one of them overlooks would be a way around.
 */

/**
 * The whole argument, together with `--name` for `--name=value` and each letter of a bundle such as `-xyz`. A list of
 * permitted flags must hold all of them, so that no joined value and no bundle slips by; a list of forbidden ones
 * catches a flag inside a bundle too.
 */
export function flagFacts(argument: string): string[] {
  return [argument, ...flagParts(argument)];
}

/** The further tokens under which a dash-argument appears in the facts. */
export function flagParts(argument: string): string[] {
  const name = /^(--[^=]+)=/.exec(argument)?.[1];
  if (name !== undefined) return [name];
  return /^-[A-Za-z]{2,}$/.test(argument) ? Array.from(argument.slice(1), (letter) => `-${letter}`) : [];
}
