/** Starts where the machine or a service takes away means of confinement: a start is refused or as safe as ever. */
import { accessSync, constants, mkdirSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorText } from "@femtoclaw/protocol";
import type { Surrounding } from "../observations.ts";
import { type Command, Place } from "../subject.ts";
import { callOf } from "./call.ts";
import { configuration, PROGRAMS } from "./configuration.ts";

const isRoot = process.getuid?.() === 0;
const ALONE = ["pid", "mnt", "net"] as const;

interface Taken {
  readonly name: string;
  /** The command prefix that starts the executable. */
  readonly by: readonly string[];
  /** Whether the search path holds only the programs that calls run. */
  readonly noBubblewrap?: true;
}

export async function observeSurroundings(command: Command): Promise<Surrounding[]> {
  const noNamespaces = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"';
  const seen: Surrounding[] = [];
  for (const taken of [
    { name: "no bubblewrap", by: [], noBubblewrap: true },
    {
      name: "no user namespaces",
      by: ["/usr/bin/unshare", "--user", "--map-root-user", "/bin/sh", "-c", noNamespaces, "sh"],
    },
    // Like the installed systemd unit: no new privileges, and none at all for root.
    {
      name: "a service's limits",
      by: ["/usr/bin/setpriv", "--no-new-privs", ...(isRoot ? ["--bounding-set=-all", "--inh-caps=-all"] : [])],
    },
  ] satisfies Taken[]) {
    seen.push(await startIn(command, taken));
  }
  return seen;
}

async function startIn(command: Command, { name, by, noBubblewrap }: Taken): Promise<Surrounding> {
  const untried = missing(by[0]);
  const nothing = { name, untried, started: false, code: null, confines: false };
  if (untried !== null) return nothing;
  const [file, ...prefix] = [...by, ...command];
  await using place = new Place([file ?? "", ...prefix], configuration());
  const path = String(place.environment["FEMTOCLAW_CONFIG"]);
  if (noBubblewrap === true) writeFileSync(path, `${searchPathWithoutBubblewrap(place.root)}${configuration()}`);
  let host: Awaited<ReturnType<Place["up"]>>;
  try {
    host = await place.up();
  } catch (error) {
    return { ...nothing, code: /FEMTO_[A-Z_]+/.exec(errorText(error))?.[0] ?? null };
  }
  const confines = await isConfined(place, host.pid);
  host.kill("SIGTERM");
  await host.ended;
  return { ...nothing, started: true, confines };
}

/** The configuration line for a folder that holds only the programs that calls run. */
export function searchPathWithoutBubblewrap(root: string): string {
  const folder = join(root, "programs");
  mkdirSync(folder, { mode: 0o755 });
  for (const name of PROGRAMS) symlinkSync(join("/usr/bin", name), join(folder, name));
  return `search_path = ["${folder}"]\n`;
}

async function isConfined(place: Place, host: number): Promise<boolean> {
  const output = async (bin: string, argv: readonly string[]): Promise<string> =>
    (await callOf(place, "process_exec", { bin, argv })).text ?? "";
  for (const name of ALONE) {
    const own = (await output("readlink", [`/proc/self/ns/${name}`])).trim();
    if (own === "" || own === readlinkSync(`/proc/${host}/ns/${name}`)) return false;
  }
  return !(await output("cat", [join(place.root, "p/secrets/token.txt")])).includes("secret");
}

function missing(program: string | undefined): string | null {
  try {
    if (program !== undefined) accessSync(program, constants.X_OK);
    return null;
  } catch {
    return `there is no ${program} here`;
  }
}
