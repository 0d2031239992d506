/** How the relay is put into a sandbox, and how a program is started by it. Pure. */
export interface RelayProgram {
  /** Files of this machine that the relay runs from, and where the sandbox has them. */
  readonly files: readonly { readonly from: string; readonly to: string }[];
  /** What the relay is started by; the program's variables, `--` and the program follow. */
  readonly command: readonly string[];
}

/** In a folder that is made anew for each child, and in which no grant can show or hide anything. */
export const RELAY_FOLDER = "/dev/femtoclaw";

/** Where programs find the relay; nothing else listens in a network that has just been made. */
const RELAY_ADDRESS = "http://127.0.0.1:3128";

/** The names under which programs look for a proxy. Loopback is no exception: it is the sandbox's own, and empty. */
export const PROXY_VARIABLES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries({ HTTP_PROXY: RELAY_ADDRESS, HTTPS_PROXY: RELAY_ADDRESS, ALL_PROXY: RELAY_ADDRESS, NO_PROXY: "" })
    .flatMap(([name, value]) => [[name, value] as const, [name.toLowerCase(), value] as const])
    .sort(([a], [b]) => (a < b ? -1 : 1)),
);

/** Arguments that show the relay's files to a child, read-only. */
export function relayMounts({ files }: RelayProgram): string[] {
  return files.flatMap(({ from, to }) => ["--ro-bind", from, to]);
}

/**
 * What stands in front of a program that is to have a relay. INVARIANT: the relay starts with no variable of the
 * program's, of which some make Node.js load code; it hands them on.
 */
export function relayWords(
  { command }: RelayProgram,
  variables: Readonly<Record<string, string>>,
  passed: readonly number[],
): string[] {
  const words = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  return [...command, ...passed.map(String), ...words, "--"];
}
