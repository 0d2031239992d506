/** From a path as an operator writes it to the canonical absolute path that is decided on. */
import { lstatSync, realpathSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { LIMITS, printable, systemErrorCode } from "@femtoclaw/protocol";

export type CanonicalPath = { readonly path: string } | { readonly problem: string };

export interface PathBase {
  /** Canonical folder that relative paths start from. */
  readonly directory: string;
  /** What `~/` stands for. */
  readonly home: string | undefined;
}

/** Follows symbolic links as far as the path exists; what does not exist yet is kept as written. */
export function canonicalPath(written: string, base: PathBase): CanonicalPath {
  const shown = `\`${printable(written)}\``;
  if (written.includes("\0")) return { problem: `the path ${shown} holds a NUL character` };
  if (/^~[^/]/.test(written)) return { problem: `only \`~/\` is expanded, not ${shown}` };
  const fromHome = written === "~" || written.startsWith("~/");
  if (fromHome && base.home === undefined) return { problem: `${shown} needs HOME to be an absolute path` };
  if (climbsLate(written)) {
    return { problem: `${shown} goes up after it went down; links would make that ambiguous, so write it shorter` };
  }
  const absolute = fromHome ? join(base.home ?? "", written.slice(1)) : resolve(base.directory, written);
  const canonical = followLinks(absolute, "", shown);
  return "problem" in canonical ? canonical : withinLimits(canonical.path, shown);
}

/** True for `a/../b`, false for `../b`: there the folder that is left is canonical already. */
function climbsLate(written: string): boolean {
  const parts = written.split("/").filter((part) => part !== "" && part !== ".");
  const down = isAbsolute(written) ? 0 : parts.findIndex((part) => part !== "..");
  return down !== -1 && parts.slice(down).includes("..");
}

function followLinks(existing: string, missing: string, shown: string): CanonicalPath {
  try {
    return { path: join(realpathSync.native(existing), missing) };
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT" && !isLink(existing)) {
      return followLinks(dirname(existing), join(existing.slice(dirname(existing).length), missing), shown);
    }
    return { problem: `${shown} ${CAUSES[code ?? ""] ?? `cannot be examined (${code})`}` };
  }
}

const CAUSES: Readonly<Record<string, string>> = {
  // INVARIANT: where a dangling link leads is decided by whoever creates its target, so it grants nothing.
  ENOENT: "is or passes a symbolic link that leads nowhere",
  ELOOP: "passes symbolic links that lead in a circle",
  ENOTDIR: "passes a file as if it were a folder",
  ENAMETOOLONG: "is longer than the system takes",
};

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

function withinLimits(path: string, shown: string): CanonicalPath {
  if (Buffer.byteLength(path) > LIMITS.pathBytes)
    return { problem: `${shown} is longer than ${LIMITS.pathBytes} bytes` };
  if (path.split("/").length - 1 > LIMITS.pathDepth)
    return { problem: `${shown} is deeper than ${LIMITS.pathDepth} folders` };
  return { path };
}

/** True when the path is the folder or lies in it. Both are canonical. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}
