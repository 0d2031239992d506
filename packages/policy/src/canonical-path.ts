/** Paths as policy compares them: absolute, canonical, and never as text prefixes. */
import { LIMITS } from "@femtoclaw/protocol";

/** Whether the text is a path that no second spelling could name as well. */
export function isCanonicalPath(path: string): boolean {
  if (path === "/") return true;
  return path.startsWith("/") && !path.includes("\0") && path.isWellFormed() && !ANOTHER_SPELLING.test(path);
}

/** A name that is empty, `.` or `..`. */
const ANOTHER_SPELLING = /\/\.{0,2}(?:\/|$)/;

/** Why a decision about this path cannot be made, or null. Length comes first: it bounds the rest. */
export function pathFault(path: string): string | null {
  if (path.length > LIMITS.pathBytes || Buffer.byteLength(path) > LIMITS.pathBytes) {
    return `the path is longer than ${LIMITS.pathBytes} bytes`;
  }
  if (!isCanonicalPath(path)) return "the path is not canonical";
  if (path.split("/").length - 1 > LIMITS.pathDepth) return `the path is deeper than ${LIMITS.pathDepth} levels`;
  return null;
}

/** `/`, `/a`, `/a/b` for `/a/b`. */
export function ancestorsOrSelf(path: string): string[] {
  const found = ["/"];
  for (let slash = path.indexOf("/", 1); slash !== -1; slash = path.indexOf("/", slash + 1)) {
    found.push(path.slice(0, slash));
  }
  if (path !== "/") found.push(path);
  return found;
}

/** The last name of a path: what a program is called. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
