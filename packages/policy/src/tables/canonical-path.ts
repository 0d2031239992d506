/** Paths as policy compares them: absolute and canonical. They are never compared as text prefixes. */
import { LIMITS } from "@femtoclaw/protocol";

/** Whether the text is a path that has no second spelling. */
export function isCanonicalPath(path: string): boolean {
  if (path === "/") return true;
  return path.startsWith("/") && !path.includes("\0") && path.isWellFormed() && !ANOTHER_SPELLING.test(path);
}

/** Matches a name that is empty, `.` or `..`. */
const ANOTHER_SPELLING = /\/\.{0,2}(?:\/|$)/;

/**
 * Why no decision can be made about this path, or null. The length is checked first because it bounds the other checks.
 */
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

/** The last name of a path, which for a program is its name. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
