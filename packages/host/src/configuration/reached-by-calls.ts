/** Whether calls could read a path. Keys, records and secrets must be put where no call can. */
import { dirname } from "node:path";
import { type Authority, type ErrorCode, FemtoError, printable } from "@femtoclaw/protocol";

/**
 * INVARIANT: I8: throws this error code for a path that a call could read. What is denied or belongs to FemtoClaw
 * itself is out of reach.
 */
export function refuseReached(path: string, authority: Authority, code: ErrorCode): void {
  const reached = reachedFrom(path, authority);
  if (reached === undefined) return;
  throw new FemtoError(code, `calls may reach ${printable(path, 4_096)}, below ${printable(reached, 4_096)}`, {
    fix: "Name a path outside the workspace and all granted folders, or deny reading it in the configuration.",
  });
}

/** Like `refuseReached`, for a file that has others of its own beside it, temporarily or for good. */
export function refuseReachedPlace(path: string, authority: Authority, code: ErrorCode): void {
  for (const place of [path, dirname(path)]) refuseReached(place, authority, code);
}

function reachedFrom(path: string, { workspace, allow, ask, deny, floor, childRead }: Authority): string | undefined {
  const closed = [...floor, ...deny.read.map((denied) => denied.path)];
  if (closed.some((folder) => isBelow(path, folder))) return undefined;
  const grants = [...allow.read, ...allow.write, ...ask.read, ...ask.write];
  return [workspace, ...childRead, ...grants.map((grant) => grant.path)].find((folder) => isBelow(path, folder));
}

export function isBelow(path: string, folder: string): boolean {
  return folder === "/" || path === folder || path.startsWith(`${folder}/`);
}
