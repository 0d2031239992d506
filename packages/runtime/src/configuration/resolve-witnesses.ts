/**
 * The witnesses of the configuration, resolved against this machine: what each kind needs, and that no call can play
 * one.
 */
import { realpathSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";
import { parseWitnessKey } from "@femtoclaw/journal/signatures";
import {
  type Authority,
  type Configuration,
  isWithin,
  ownUser,
  printable,
  type WitnessTable,
} from "@femtoclaw/protocol";
import { canonicalPath, type PathBase } from "./canonical-path.ts";
import { isWritable, writeGrants } from "./check-authority.ts";
import type { Places } from "./places.ts";
import type { Directories } from "./resolve-directories.ts";
import { isProgram } from "./resolve-programs.ts";

/** One witness: a file, a command that is run, or an address. */
export type WitnessSetting =
  | { readonly kind: "file"; readonly name: string; readonly path: string }
  | { readonly kind: "command"; readonly name: string; readonly command: readonly [string, ...string[]] }
  | { readonly kind: "http"; readonly name: string; readonly url: string; readonly vkey: string };

const KEYS = ["path", "command", "url", "vkey"] as const;
const NEEDED: Readonly<Record<WitnessTable["kind"], readonly (typeof KEYS)[number][]>> = {
  file: ["path"],
  command: ["command"],
  http: ["url", "vkey"],
};

export function resolveWitnesses(
  { audit }: Configuration,
  base: PathBase,
  directories: Directories,
  places: Places,
): readonly WitnessSetting[] {
  const tables = audit?.witness ?? [];
  if (audit?.require === true && tables.length === 0) {
    places.fault(["audit", "require"], "this has no effect without an [[audit.witness]]");
  }
  return tables.flatMap((table, index): readonly WitnessSetting[] => {
    const place = ["audit", "witness", index];
    if (tables.findIndex(({ name }) => name === table.name) < index) {
      return places.fault([...place, "name"], `another witness is called \`${table.name}\` already`);
    }
    const needed = NEEDED[table.kind];
    for (const key of KEYS) {
      if (table[key] !== undefined && !needed.includes(key)) {
        places.fault([...place, key], `a witness of kind "${table.kind}" has no \`${key}\``);
      }
    }
    const missing = needed.filter((key) => table[key] === undefined);
    if (missing.length > 0) {
      return places.fault(place, `a witness of kind "${table.kind}" needs \`${missing.join("` and `")}\``);
    }
    return resolveWitness(table, place, { base, directories, places });
  });
}

interface Surroundings {
  readonly base: PathBase;
  readonly directories: Directories;
  readonly places: Places;
}

function resolveWitness(
  { kind, name, path = "", command = [""], url = "", vkey = "" }: WitnessTable,
  place: readonly (string | number)[],
  { base, directories, places }: Surroundings,
): readonly WitnessSetting[] {
  const fault = (key: string, message: string): [] => places.fault([...place, key], message);
  if (kind === "file") {
    // Only the folder is made canonical: if the file itself is a link, it is refused when it is opened.
    const folder = canonicalPath(dirname(path), base);
    if ("problem" in folder) return fault("path", folder.problem);
    const file = join(folder.path, basename(path));
    const own = [directories.state, directories.runtime].find((directory) => isWithin(file, directory));
    if (own === undefined) return [{ kind, name, path: file }];
    return fault("path", `${file} is in ${own}: rolling that folder back would roll the witness back too`);
  }
  if (kind === "command") {
    const problem = programProblem(command[0]);
    return problem === undefined ? [{ kind, name, command }] : fault("command", problem);
  }
  const address = URL.parse(url);
  if (address === null || address.search !== "" || address.hash !== "") {
    return fault("url", "expected an address such as http://127.0.0.1:7380");
  }
  // The address is shown by status.
  if (address.username !== "" || address.password !== "")
    return fault("url", "an address must not contain a user or password");
  if (parseWitnessKey(vkey) === null) return fault("vkey", "expected the public key of a witness: name+id+key");
  return [{ kind, name, url: address.href.replace(/\/+$/, ""), vkey }];
}

/** INVARIANT: I8: a program that runs outside every sandbox must be one that only root and this user can change. */
function programProblem(program: string): string | undefined {
  const shown = `\`${printable(program)}\``;
  if (!isAbsolute(program)) return `expected the absolute path of a program, found ${shown}`;
  if (program.includes("\0") || !isProgram(program)) return `${shown} is not an executable program`;
  const { uid, mode } = statSync(program);
  const kept = (uid === 0 || uid === ownUser(process.getuid)) && (mode & 0o022) === 0;
  return kept ? undefined : `${shown} can be changed by others`;
}

/** INVARIANT: I8: no call writes where a witness is kept. Otherwise those who are watched could play the watchman. */
export function checkWitnesses(authority: Authority, witnesses: readonly WitnessSetting[], places: Places): void {
  for (const witness of witnesses) {
    if (witness.kind === "http") continue;
    const path = witness.kind === "file" ? witness.path : witness.command[0];
    const kept = witness.kind === "file" ? [path] : [path, realpathSync.native(path)];
    const found = writeGrants(authority).find(([, grant]) =>
      kept.flatMap((name) => [name, dirname(name)]).some((name) => isWritable(name, grant, authority.deny.write)),
    );
    if (found === undefined) continue;
    const remedy = `deny writing to ${dirname(path)}, or keep it elsewhere`;
    places.fault(found[0], `calls could replace the witness ${path}; ${remedy}`);
  }
}
