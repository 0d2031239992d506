/** PostgreSQL of its own, with the durability that it comes with, reached through a Unix socket alone. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { startServer } from "./server.ts";

const run = promisify(execFile);

/** Debian keeps the programs of each version out of $PATH. */
const VERSIONS = "/usr/lib/postgresql";
/** Whom Debian's package made for it. */
const USER = "postgres";

/** The folder of the newest version's programs; null where there is none. */
export function postgresqlPrograms(): string | null {
  const versions = existsSync(VERSIONS) ? readdirSync(VERSIONS) : [];
  const newest = versions.toSorted((left, right) => Number(right) - Number(left));
  return newest.map((version) => join(VERSIONS, version, "bin")).find((bin) => existsSync(join(bin, "initdb"))) ?? null;
}

/** The address of a database of that name, which its user has to make. */
export async function startPostgresql(directory: string, database: string): Promise<string> {
  const bin = postgresqlPrograms() ?? "";
  const home = join(directory, "postgresql");
  const data = join(home, "data");
  const command = (name: string, ...args: string[]): [string, ...string[]] => {
    const [program = "", ...words] = [...asUser(), join(bin, name), ...args];
    return [program, ...words];
  };
  if (!existsSync(home)) {
    mkdirSync(home, { mode: 0o700 });
    if (isRoot()) await run("/bin/chown", [`${USER}:`, home]);
    const [program, ...args] = command("initdb", "--pgdata", data, "--username", USER, "--auth", "trust");
    await run(program, args, { cwd: home });
  }
  await startServer({
    ...{ directory: home, name: "postgres" },
    command: command("postgres", "-D", data, "-k", home, "-c", "listen_addresses="),
    isReady: async () => {
      await run(join(bin, "pg_isready"), ["--host", home]);
      return true;
    },
  });
  return `postgresql://${USER}@localhost/${database}?host=${encodeURIComponent(home)}`;
}

/** It refuses to run as root. */
function asUser(): string[] {
  return isRoot() ? ["/usr/bin/setpriv", `--reuid=${USER}`, `--regid=${USER}`, "--clear-groups", "--"] : [];
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}
