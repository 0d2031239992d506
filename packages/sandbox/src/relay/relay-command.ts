/** How the relay is put into a sandbox, and how a program is started by it. Pure. */
export interface RelayProgram {
  /** Files of this machine that the relay runs from, and where the sandbox has them. */
  readonly files: readonly { readonly from: string; readonly to: string }[];
  /** What the relay is started by; the program's variables, `--` and the program follow. */
  readonly command: readonly string[];
  /** What an agent reaches the host by: further files, and the script that it starts. */
  readonly door: { readonly files: RelayProgram["files"]; readonly script: string };
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

/** What stands for the host itself among the hosts that an agent may ask the relay for; nothing else has that name. */
export const DOOR_TARGET = "femtoclaw.invalid:1";

/**
 * Where an agent finds a server that speaks no TLS, as models of this machine do not: a proxy is asked for tunnels alone,
 * and few clients ask a proxy for a tunnel without TLS.
 */
export const TUNNEL_ADDRESS = "127.0.0.1:3129";
const TUNNEL_WORD = "tunnel:";

/** The MCP server that an agent which was launched finds, and the variables that it alone gets. */
export const DOOR_PATH = `${RELAY_FOLDER}/mcp`;
const VARIABLES_PATH = `${RELAY_FOLDER}/variables`;

/** The relay is on the sandbox's own loopback, which is no way for a proxy. */
export const AGENT_VARIABLES: Readonly<Record<string, string>> = {
  ...{ FEMTOCLAW_MCP: DOOR_PATH, NO_PROXY: "127.0.0.1,localhost", no_proxy: "127.0.0.1,localhost" },
};

/** Descriptors from which bubblewrap makes the files that only an agent gets. */
export interface AgentDescriptors {
  readonly door: number;
  readonly variables: number;
}

/** Arguments that show the relay's files to a child, read-only. */
export function relayMounts({ files, door }: RelayProgram, agent: AgentDescriptors | null): string[] {
  const shown = agent === null ? files : [...files, ...door.files];
  const mounts = shown.flatMap(({ from, to }) => ["--ro-bind", from, to]);
  if (agent === null) return mounts;
  return [
    ...mounts,
    ...["--perms", "0555", "--ro-bind-data", String(agent.door), DOOR_PATH],
    ...["--perms", "0400", "--ro-bind-data", String(agent.variables), VARIABLES_PATH],
  ];
}

/**
 * Variables of an agent that no command line holds, where other users of the machine could read them: as the relay
 * reads them from a file that is in no folder of the machine.
 */
export function variablesFile(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => `${name}=${value}\0`)
    .join("");
}

/** Stands in front of the names of a program's variables while they are the relay's. */
const OF_PROGRAM = "FEMTOCLAW_OF_PROGRAM_";

/**
 * The variables of a program as its relay gets them. INVARIANT: under no name of theirs, as some make Node.js load code;
 * the relay hands them on.
 */
export function relayVariables(variables: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [`${OF_PROGRAM}${name}`, value]));
}

/** What stands in front of a program that is to have a relay. */
export function relayWords(
  { command }: RelayProgram,
  passed: readonly number[],
  { isAgent, tunnel }: { readonly isAgent: boolean; readonly tunnel: string | null },
): string[] {
  const led = tunnel === null ? [] : [`${TUNNEL_WORD}${tunnel}`];
  return [...command, ...passed.map(String), ...(isAgent ? [VARIABLES_PATH] : []), ...led, "--"];
}
