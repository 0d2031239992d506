/** How the relay is put into a sandbox, and how it starts a program. Pure. */
export interface RelayProgram {
  /** Files of this machine from which the relay runs, and their places in the sandbox. */
  readonly files: readonly { readonly from: string; readonly to: string }[];
  /** The command that starts the relay; the paths of variables, `--` and the program follow it. */
  readonly command: readonly string[];
  /** How an agent reaches the host: further files, and the script that the agent starts. */
  readonly door: { readonly files: RelayProgram["files"]; readonly script: string };
}

/** Lies in a folder that is made anew for each child, in which no grant can show or hide anything. */
export const RELAY_FOLDER = "/dev/femtoclaw";

/** Where programs find the relay; in a network namespace that was just made, nothing else listens. */
const RELAY_ADDRESS = "http://127.0.0.1:3128";

/** The variables by which programs find a proxy. Loopback is no exception, because the sandbox's own is empty. */
export const PROXY_VARIABLES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries({ HTTP_PROXY: RELAY_ADDRESS, HTTPS_PROXY: RELAY_ADDRESS, ALL_PROXY: RELAY_ADDRESS, NO_PROXY: "" })
    .flatMap(([name, value]) => [[name, value] as const, [name.toLowerCase(), value] as const])
    .sort(([a], [b]) => (a < b ? -1 : 1)),
);

/** The name that stands for the host itself among those that an agent may ask the relay for; no real host has it. */
export const DOOR_TARGET = "femtoclaw.invalid:1";

/**
 * Where an agent finds a server that speaks no TLS, such as a model on this machine. The proxy only opens tunnels, and
 * few clients ask a proxy for a tunnel when they do not use TLS.
 */
export const TUNNEL_ADDRESS = "127.0.0.1:3129";
const TUNNEL_WORD = "tunnel:";

/** The MCP server of a launched agent, and the file with the variables for it alone. */
export const DOOR_PATH = `${RELAY_FOLDER}/mcp`;
const VARIABLES_PATH = `${RELAY_FOLDER}/variables`;

/** An agent connects to the sandbox's own loopback directly, where its tunnel is. */
export const AGENT_VARIABLES: Readonly<Record<string, string>> = {
  FEMTOCLAW_MCP: DOOR_PATH,
  NO_PROXY: "127.0.0.1,localhost",
  no_proxy: "127.0.0.1,localhost",
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
 * The variables of an agent, in the format of the file from which the relay reads them. The file lies in no folder of
 * the machine, and a command line would show them to other users.
 */
export function variablesFile(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => `${name}=${value}\0`)
    .join("");
}

/** Prefix of a program's variables while they are passed through the relay. */
const OF_PROGRAM = "FEMTOCLAW_OF_PROGRAM_";

/**
 * The variables of a program as the relay gets them. INVARIANT: none keeps its own name, because some make Node.js load
 * code; the relay restores the names.
 */
export function relayVariables(variables: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [`${OF_PROGRAM}${name}`, value]));
}

/** The command in front of a program that is to have a relay. */
export function relayWords(
  { command }: RelayProgram,
  passed: readonly number[],
  { isAgent, tunnel }: { readonly isAgent: boolean; readonly tunnel: string | null },
): string[] {
  const led = tunnel === null ? [] : [`${TUNNEL_WORD}${tunnel}`];
  return [...command, ...passed.map(String), ...(isAgent ? [VARIABLES_PATH] : []), ...led, "--"];
}
