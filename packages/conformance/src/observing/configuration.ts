/** Programs that run at once, so few that a test can hold all places. */
export const CONCURRENCY = 4;

/** The configuration under which a deployment is looked at: a little of everything, and nothing that can run code. */
export function configuration(otlp: string | null): string {
  return `workspace = "."
[capabilities]
process_exec = true
fs_read = true
fs_write = true
fs_list = false
[allow]
read = ["."]
write = ["out"]
run = { echo = ["*"], cat = ["*"], ls = ["*"], readlink = ["*"], sleep = ["*"], yes = ["*"] }
[ask]
write = ["asked"]
[deny]
read = ["secrets"]
[limits]
concurrency = ${CONCURRENCY}
queue = 8
[memory]
path = "../state"
[host]
runtime_dir = "../run"
${otlp === null ? "" : `[observability]\notlp = "${otlp}"\n`}`;
}
