/** The tables of a configuration by which a known agent is launched, with a model's server on this machine. */
import { realpathSync } from "node:fs";
import { dirname } from "node:path";
import type { KnownAgent } from "./known-agents.ts";

/** The folder of the Node.js that agents run by. */
export const NODE_FOLDER = dirname(realpathSync(process.execPath));

/** `modules` is the folder that the agent was installed in. */
export function launchTables({ kind, model, key, path }: KnownAgent, url: string, modules: string): string {
  const { host, origin } = new URL(url);
  return `[launch.${kind}]
agent = "coder"
env = ["${key}"]
model = "${model}"
base_url = "${origin}${path}"
[agent.coder]
[sandbox]
read = ${JSON.stringify([modules, NODE_FOLDER])}
connect = { ${kind} = ["${host}"] }
[memory]
path = "../state"
[host]
runtime_dir = "../run"
`;
}
