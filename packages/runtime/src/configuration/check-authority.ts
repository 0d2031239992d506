/** Grants that would undo the authority itself are refused when the configuration is loaded. */
import { dirname } from "node:path";
import type { Authority, PathGrant } from "@femtoclaw/protocol";
import { isWithin } from "./canonical-path.ts";
import type { Places } from "./places.ts";

export function checkAuthority(authority: Authority, places: Places): void {
  checkReplaceable(authority, places);
  checkSecrets(authority, places);
  checkLinks(authority, places);
  for (const path of authority.floor) {
    if (isWithin(authority.workspace, path)) {
      places.fault(
        ["workspace"],
        `${authority.workspace} lies in ${path}, which belongs to FemtoClaw and no call may reach`,
      );
    }
  }
}

/** Programs do not see secrets, and nothing runs in a workspace that it does not see. */
function checkSecrets({ sensitive, workspace }: Authority, places: Places): void {
  for (const [index, { path }] of (sensitive?.secret ?? []).entries()) {
    if (!isWithin(workspace, path)) continue;
    places.fault(["sensitive", "secret", index], `${path} holds the workspace, which programs have to see`);
  }
}

/** INVARIANT: no call writes where a permitted program is looked up; else writing files would mean running any code. */
function checkReplaceable({ allow, ask, deny }: Authority, places: Places): void {
  const programs = [...allow.run, ...ask.run];
  for (const table of ["allow", "ask"] as const) {
    for (const [index, grant] of { allow, ask }[table].write.entries()) {
      const program = programs.find(
        ({ path, realPath }) => isWritable(dirname(path), grant, deny.write) || isWritable(realPath, grant, deny.write),
      );
      if (program === undefined) continue;
      const remedy = `deny writing to ${dirname(program.path)}, or take the program from elsewhere`;
      places.fault([table, "write", index], `calls could replace the program ${program.path}; ${remedy}`);
    }
  }
}

/** INVARIANT: no call chooses what the configuration means from the next start on, by changing where a link leads. */
function checkLinks({ allow, ask, deny }: Authority, places: Places): void {
  for (const { place, link } of places.links) {
    const grant = [...allow.write, ...ask.write].find((granted) => isWritable(link, granted, deny.write));
    if (grant === undefined) continue;
    const message = `it passes the symbolic link ${link}, which calls could change (${grant.source}); write what it leads to`;
    places.fault(place, message);
  }
}

/** Whether a call that may write what is granted can change what is at the path. */
export function isWritable(path: string, grant: PathGrant, denied: readonly PathGrant[]): boolean {
  return isWithin(path, grant.path) && !denied.some((denial) => isWithin(path, denial.path));
}
