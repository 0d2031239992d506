/** Turns a path as an operator writes it into the canonical absolute path that is decided on. */
import { lstatSync, readlinkSync, realpathSync } from "node:fs";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { asSeen, LIMITS, printable, systemErrorCode } from "@femtoclaw/protocol";

type CanonicalPath = { readonly path: string; readonly links: readonly string[] } | { readonly problem: string };

export interface PathBase {
  /** Canonical folder at which relative paths start. */
  readonly directory: string;
  /** What `~/` stands for. */
  readonly home: string | undefined;
}

/** Follows symbolic links as far as the path exists. The part that does not exist yet is kept as written. */
export function canonicalPath(written: string, base: PathBase): CanonicalPath {
  const shown = `\`${printable(written)}\``;
  if (written.includes("\0")) return { problem: `the path ${shown} holds a NUL character` };
  if (/^~[^/]/.test(written)) return { problem: `only \`~/\` is expanded, not ${shown}` };
  const fromHome = written === "~" || written.startsWith("~/");
  if (fromHome && base.home === undefined) return { problem: `${shown} needs HOME to be an absolute path` };
  if (climbsLate(written)) {
    return {
      problem: `${shown} contains \`..\` after a folder, which is ambiguous if that folder is a link; write the path without it`,
    };
  }
  const absolute = fromHome ? join(base.home ?? "", written.slice(1)) : resolve(base.directory, written);
  const canonical = followLinks(absolute, "", shown);
  if ("problem" in canonical) return canonical;
  const problem = limitProblem(canonical.path, shown);
  return problem === null ? { path: canonical.path, links: linksOnTheWay(absolute) } : { problem };
}

/** LIMIT: links on the way to one path; the kernel follows no more. */
const LINKS_MAX = 40;

/** The places of all symbolic links that lead to the path, under the real names of their folders. */
function linksOnTheWay(absolute: string): string[] {
  const links: string[] = [];
  const rest = absolute.split("/");
  let at = "/";
  for (let name = rest.shift(); name !== undefined && links.length < LINKS_MAX; name = rest.shift()) {
    const next = resolve(at, name);
    if (name === "" || !isLink(next)) {
      at = next;
      continue;
    }
    links.push(next);
    const target = readlinkSync(next);
    if (isAbsolute(target)) at = "/";
    rest.unshift(...target.split("/"));
  }
  return links;
}

/** True for `a/../b`, false for `../b`, where the folder that is left is canonical already. */
function climbsLate(written: string): boolean {
  const parts = written.split("/").filter((part) => part !== "" && part !== ".");
  const down = isAbsolute(written) ? 0 : parts.findIndex((part) => part !== "..");
  return down !== -1 && parts.slice(down).includes("..");
}

function followLinks(
  existing: string,
  missing: string,
  shown: string,
): { readonly path: string } | { readonly problem: string } {
  try {
    return { path: join(realpathSync.native(existing), missing) };
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT" && !isLink(existing)) {
      const twin = twinOf(existing);
      if (twin !== null) {
        return { problem: `${shown} is not there, but a name that looks the same is; if it is meant, write "${twin}"` };
      }
      return followLinks(dirname(existing), join(existing.slice(dirname(existing).length), missing), shown);
    }
    return { problem: `${shown} ${CAUSES[code ?? ""] ?? `cannot be examined (${code})`}` };
  }
}

/**
 * The name in the same folder that looks like a missing one, in ASCII, as a basic string of TOML writes it. It has its
 * accents composed or decomposed, or no hidden characters. INVARIANT: I3: rules compare names by their bytes, so to deny
 * the missing name would deny nothing, and nobody could see it.
 */
function twinOf(missing: string): string | null {
  const name = basename(missing);
  const twins = [name, asSeen(name)].flatMap((one) => [one.normalize("NFC"), one.normalize("NFD")]);
  const isThere = (one: string): boolean =>
    lstatSync(join(dirname(missing), one), { throwIfNoEntry: false }) !== undefined;
  const twin = twins.find((one) => one !== name && one !== "" && isThere(one));
  return twin?.replace(/[^ -~]/gu, escaped) ?? null;
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code > 0xffff ? `\\U${code.toString(16).padStart(8, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
}

const CAUSES: Readonly<Record<string, string>> = {
  // INVARIANT: somebody who creates the target of a dangling link decides where it leads, so such a link grants
  // nothing.
  ENOENT: "is, or goes through, a symbolic link without a target",
  ELOOP: "contains a loop of symbolic links",
  ENOTDIR: "uses a file as a folder",
  ENAMETOOLONG: "is longer than the system allows",
};

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

function limitProblem(path: string, shown: string): string | null {
  if (Buffer.byteLength(path) > LIMITS.pathBytes) return `${shown} is longer than ${LIMITS.pathBytes} bytes`;
  if (path.split("/").length - 1 <= LIMITS.pathDepth) return null;
  return `${shown} is deeper than ${LIMITS.pathDepth} folders`;
}
