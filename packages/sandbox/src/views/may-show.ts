/**
 * Whether any child could be shown something at or below a path, judged by the grants alone. It says yes more often
 * than a view does, because a view depends on what exists at the time.
 */
import { type Authority, isWithin } from "@femtoclaw/protocol";
import { SYSTEM_FILES, SYSTEM_FOLDERS } from "./system.ts";

export function mayShow(authority: Authority, path: string): boolean {
  const { workspace, allow, ask, deny, sensitive, floor, childRead } = authority;
  const masked = [...[...ask.read, ...deny.read, ...(sensitive?.secret ?? [])].map((grant) => grant.path), ...floor];
  const isMasked = (candidate: string): boolean => masked.some((mask) => isWithin(candidate, mask));
  if (isMasked(path)) return false;
  const granted = [...allow.read, ...allow.write].map((grant) => grant.path);
  const shown = [workspace, ...granted, ...childRead, ...SYSTEM_FOLDERS, ...SYSTEM_FILES];
  return shown.some((root) => isWithin(path, root) || (isWithin(root, path) && !isMasked(root)));
}
