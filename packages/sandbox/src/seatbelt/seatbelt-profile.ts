/**
 * Turns the view of a child into a Seatbelt profile, which denies what no rule allows, and in which the last matching
 * rule decides. Pure. INVARIANT: I3: the text contains no path and nothing else that anybody chose. Each path is a
 * parameter, to which the text refers by number, so that no file name is ever read as a rule.
 */

import { dirname } from "node:path";
import { isWithin } from "@femtoclaw/protocol";
import type { Mount } from "../views/mounts.ts";
import type { SandboxView } from "../views/view.ts";
import { MACOS_LINKS } from "./macos-system.ts";

export interface Profile {
  readonly text: string;
  /** Paths by the names that the text has for them. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Facts about the machine, not about a person: enough for libraries to start, nothing about other processes. */
const SYSCTLS = [
  ...["hw.activecpu", "hw.byteorder", "hw.cacheconfig", "hw.cachelinesize_compat", "hw.cpufamily", "hw.cputype"],
  ...["hw.logicalcpu", "hw.logicalcpu_max", "hw.machine", "hw.memsize", "hw.ncpu", "hw.nperflevels", "hw.packages"],
  ...["hw.pagesize", "hw.pagesize_compat", "hw.physicalcpu", "hw.physicalcpu_max", "hw.tbfrequency_compat"],
  ...["hw.vectorunit", "kern.argmax", "kern.maxfilesperproc", "kern.osproductversion", "kern.osrelease"],
  ...["kern.ostype", "kern.osvariant_status", "kern.osversion", "kern.secure_kernel", "kern.usrstack64"],
  ...["kern.version", "sysctl.proc_cputype", "vm.loadavg"],
];

const READ = "file-read*";
const WRITE = "file-write*";
/** A child can write to no folder with programs, as under Landlock. */
const EXECUTE = "process-exec* file-map-executable";

/**
 * Rules that hold whatever is granted: no network, no service of macOS but the lookup of user names, no other process.
 */
const BASE = [
  "(version 1)",
  "(deny default)",
  "(allow process-fork)",
  "(allow signal (target self) (target children))",
  "(allow process-info* (target self))",
  "(allow syscall-unix)",
  // INVARIANT: I9: a child is killed by its process group, so nothing may leave that. The last of these three calls
  // creates a process in a group of its own in one step.
  "(deny syscall-unix (syscall-number SYS_setsid SYS_setpgid SYS_posix_spawn))",
  '(allow mach-lookup (global-name "com.apple.system.opendirectoryd.libinfo"))',
  `(allow sysctl-read ${SYSCTLS.map((name) => `(sysctl-name "${name}")`).join(" ")})`,
  // The loader of programs opens the root itself.
  `(allow ${READ} (literal "/"))`,
  `(allow file-read-metadata (literal "/dev") ${MACOS_LINKS.map((path) => `(literal "${path}")`).join(" ")})`,
  `(allow ${READ} (literal "/dev/null") (literal "/dev/zero") (literal "/dev/random") (literal "/dev/urandom"))`,
  '(allow file-write-data (literal "/dev/null") (literal "/dev/zero"))',
];

export function seatbeltProfile({ mounts, assumed }: Pick<SandboxView, "mounts" | "assumed">): Profile {
  const names = new Map<string, string>();
  const at = (path: string): string => {
    const name = names.get(path) ?? `PATH_${names.size}`;
    names.set(path, name);
    return `(param "${name}")`;
  };
  const literal = (path: string): string => `(literal ${at(path)})`;
  const subpath = (path: string): string => `(subpath ${at(path)})`;
  const shown = mounts.filter(({ kind }) => kind !== "maskFile" && kind !== "maskFolder");
  const ways = [...new Set(shown.flatMap(({ path }) => above(path)))].sort();
  const rules = [
    ...BASE,
    ...ways.map((path) => `(allow file-read-metadata ${literal(path)})`),
    ...mounts.flatMap((mount) => rulesOf(mount, subpath(mount.path), literal(mount.path))),
    // INVARIANT: a child cannot move a protected path aside: neither a path shown or hidden within a writable folder,
    // nor a folder on the way to it. Entries within such a folder are other paths, and unaffected.
    ...mounts
      .filter(({ path }) => isWritable(mounts, dirname(path)) || isWritable(mounts, path))
      .map(({ path }) => `(deny ${assumed.get(path) === "file" ? "file-write-unlink" : WRITE} ${literal(path)})`),
  ];
  const parameters = new Map([...names].map(([path, name]) => [name, path]));
  return { text: `${rules.join("\n")}\n`, parameters };
}

function rulesOf({ kind }: Mount, all: string, itself: string): string[] {
  switch (kind) {
    case "readOnly":
      return [`(allow ${READ} ${EXECUTE} ${all})`, `(deny ${WRITE} ${all})`];
    case "readWrite":
      return [`(deny ${EXECUTE} ${all})`, `(allow ${READ} ${WRITE} ${all})`];
    case "link":
      return [`(allow ${READ} ${itself})`];
    // Mounts that need a namespace were refused before, so this is what has to be hidden.
    default:
      return [`(deny ${READ} ${WRITE} ${EXECUTE} ${all})`];
  }
}

const isWritable = (mounts: readonly Mount[], path: string): boolean =>
  mounts.findLast((mount) => isWithin(path, mount.path))?.kind === "readWrite";

/** The folders above a path, without the root. */
function above(path: string): string[] {
  const folder = dirname(path);
  return folder === "/" || folder === path ? [] : [folder, ...above(folder)];
}
