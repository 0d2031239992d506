/** A PostgreSQL server for this run alone, with its default durability, reached only through a Unix socket. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { startServer } from "./server.ts";

const run = promisify(execFile);

/** Debian keeps the programs of each version out of $PATH. */
const VERSIONS = "/usr/lib/postgresql";
/** The user that Debian's package has created for it. */
const USER = "postgres";

/** The folder with the programs of the newest version; null if there is none. */
export function postgresqlPrograms(): string | null {
  const versions = existsSync(VERSIONS) ? readdirSync(VERSIONS) : [];
  const newest = versions.toSorted((left, right) => Number(right) - Number(left));
  return newest.map((version) => join(VERSIONS, version, "bin")).find((bin) => existsSync(join(bin, "initdb"))) ?? null;
}

/** The address of the database, which has to be created by its user. */
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
    directory: home,
    name: "postgres",
    command: command("postgres", "-D", data, "-k", home, "-c", "listen_addresses="),
    isReady: async () => {
      await run(join(bin, "pg_isready"), ["--host", home]);
      return true;
    },
  });
  return `postgresql://${USER}@localhost/${database}?host=${encodeURIComponent(home)}`;
}

/** PostgreSQL refuses to run as root. */
function asUser(): string[] {
  return isRoot() ? ["/usr/bin/setpriv", `--reuid=${USER}`, `--regid=${USER}`, "--clear-groups", "--"] : [];
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}
