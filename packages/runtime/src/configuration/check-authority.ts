/** Refuses grants that would undo the authority itself, when the configuration is loaded. */
import { realpathSync } from "node:fs";
import { dirname } from "node:path";
import { type Authority, isWithin, namesByDescriptor, type PathGrant } from "@femtoclaw/protocol";
import { otherSpelling } from "./one-spelling.ts";
import type { Places } from "./places.ts";

/** `ownPrograms` are files and folders whose code this process runs outside every sandbox. */
export function checkAuthority(authority: Authority, ownPrograms: readonly string[], places: Places): void {
  checkReplaceable(authority, places);
  checkSecrets(authority, places);
  checkLookedUp(authority, places);
  checkOwnPrograms(authority, ownPrograms, places);
  checkLinks(authority, places);
  checkSpellings(authority, places);
  for (const path of authority.floor) {
    if (isWithin(authority.workspace, path)) {
      places.fault(
        ["workspace"],
        `${authority.workspace} lies in ${path}, which belongs to FemtoClaw and must be out of reach of calls`,
      );
    }
  }
}

/** Programs do not see secrets, and nothing can run in a workspace that it does not see. */
function checkSecrets({ sensitive, workspace }: Authority, places: Places): void {
  for (const [index, { path }] of (sensitive?.secret ?? []).entries()) {
    if (!isWithin(workspace, path)) continue;
    places.fault(["sensitive", "secret", index], `${path} contains the workspace, which programs must be able to see`);
  }
}

/**
 * INVARIANT: no call writes where a permitted program is looked up. Otherwise writing files would mean running any
 * code.
 */
function checkReplaceable(authority: Authority, places: Places): void {
  const { allow, ask, deny, launch = [] } = authority;
  const launched = launch.map(({ program: path, realPath }) => ({ path, realPath }));
  const programs = [...allow.run, ...ask.run, ...launched];
  for (const [place, grant] of writeGrants(authority)) {
    const program = programs.find(
      ({ path, realPath }) => isWritable(dirname(path), grant, deny.write) || isWritable(realPath, grant, deny.write),
    );
    if (program === undefined) continue;
    const remedy = `deny writing to ${dirname(program.path)}, or use the program from another folder`;
    places.fault(place, `calls could replace the program ${program.path}; ${remedy}`);
  }
}

/**
 * INVARIANT: no call writes where programs are looked up, permitted or not. Children find the programs that they start
 * in the same folders, and bubblewrap itself is found there and runs outside the sandbox.
 */
function checkLookedUp(authority: Authority, places: Places): void {
  const { deny, searchPath } = authority;
  for (const [place, grant] of writeGrants(authority)) {
    const folder = searchPath.find((path) => {
      return [path, realpathSync.native(path)].some((name) => isWritable(name, grant, deny.write));
    });
    if (folder === undefined) continue;
    const remedy = "deny writing to it, or remove it from search_path";
    places.fault(place, `calls could put a program into ${folder} of search_path; ${remedy}`);
  }
}

/**
 * INVARIANT: I8: no call changes the program that decides about calls, or another program would decide after the next
 * start.
 */
function checkOwnPrograms(authority: Authority, ownPrograms: readonly string[], places: Places): void {
  const { deny } = authority;
  for (const [place, grant] of writeGrants(authority)) {
    const program = ownPrograms.find((path) => {
      const isInside = isWithin(grant.path, path) && isWritable(grant.path, grant, deny.write);
      return isInside || isWritable(path, grant, deny.write);
    });
    if (program === undefined) continue;
    const remedy = "deny writing to it, or install FemtoClaw elsewhere";
    places.fault(place, `calls could change FemtoClaw's own program, ${program}; ${remedy}`);
  }
}

/**
 * Every grant to write, with its place. Grants that ask are included: a yes to one call is no yes to what that call
 * makes possible.
 */
export function writeGrants({ allow, ask }: Authority): [place: [string, string, number], grant: PathGrant][] {
  return Object.entries({ allow, ask }).flatMap(([table, { write }]) =>
    write.map((grant, index): [[string, string, number], PathGrant] => [[table, "write", index], grant]),
  );
}

/** INVARIANT: no call can change what the configuration means at the next start by changing where a link leads. */
function checkLinks({ allow, ask, deny }: Authority, places: Places): void {
  for (const { place, link } of places.links) {
    const grant = [...allow.write, ...ask.write].find((granted) => isWritable(link, granted, deny.write));
    if (grant === undefined) continue;
    const message = `it goes through the symbolic link ${link}, which calls could change (${grant.source}); write the target of the link instead`;
    places.fault(place, message);
  }
}

/**
 * INVARIANT: I3: no call reaches files in a place where one file has many names, because rules, floors and masks know
 * only one. On systems other than Linux no call reaches any file.
 */
function checkSpellings({ workspace, allow, ask, deny, sensitive }: Authority, places: Places): void {
  if (!namesByDescriptor(process.platform)) return;
  const lists = {
    "allow/read": allow.read,
    "allow/write": allow.write,
    "ask/read": ask.read,
    "ask/write": ask.write,
    "deny/read": deny.read,
    "deny/write": deny.write,
    "sensitive/secret": sensitive?.secret ?? [],
  };
  const named = Object.entries(lists).flatMap(([list, grants]) =>
    grants.map(({ path }, index) => [[...list.split("/"), index], path] as const),
  );
  for (const [place, path] of [[["workspace"], workspace] as const, ...named]) {
    const other = otherSpelling(path);
    if (other === null) continue;
    const remedy =
      "move it to a file system that is case-sensitive and does not treat different spellings of a name as equal";
    places.fault(
      place,
      `on the file system of ${path}, ${other} is another name of the same file, and rules know only one name; ${remedy}`,
    );
  }
}

/** Whether a call that may write under this grant can change what is at the path. */
export function isWritable(path: string, grant: PathGrant, denied: readonly PathGrant[]): boolean {
  return isWithin(path, grant.path) && !denied.some((denial) => isWithin(path, denial.path));
}
