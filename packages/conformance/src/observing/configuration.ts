/** The configuration under which a deployment is examined. */
import { join } from "node:path";

/** Programs that may run at once; so few that a test can occupy all places. */
export const CONCURRENCY = 4;

/** Programs that may run with any arguments. */
export const PROGRAMS = ["echo", "cat", "ls", "readlink", "sleep", "yes"] as const;

export interface ConfigurationParts {
  /** Where telemetry is sent. */
  readonly otlp?: string;
  /** Host and port from which a page may be fetched. */
  readonly page?: string;
  /** The workspace, relative to the configuration's folder; state and sockets lie beside it. */
  readonly workspace?: string;
}

/** A little of everything, and nothing that could run arbitrary code. */
export function configuration({ otlp, page, workspace = "." }: ConfigurationParts = {}): string {
  return `workspace = "${workspace}"
[capabilities]
process_exec = true
fs_read = true
fs_write = true
fs_list = false
net_fetch = true
terminal_open = true
terminal_write = true
terminal_read = true
terminal_close = true
[allow]
read = ["${workspace}"]
write = ["${workspace}/out"]
run = { ${PROGRAMS.map((name) => `${name} = ["*"]`).join(", ")} }
${page === undefined ? "" : `fetch = ["${page}"]\n`}[ask]
write = ["${workspace}/asked"]
[deny]
read = ["${workspace}/secrets"]
[limits]
concurrency = ${CONCURRENCY}
queue = 8
[memory]
path = "${join(workspace, "../state")}"
[host]
runtime_dir = "${join(workspace, "../run")}"
${otlp === undefined ? "" : `[observability]\notlp = "${otlp}"\n`}`;
}
