/**
 * The part of the machine that every child sees: programs and libraries, and the few files of /etc without which they
 * do not start. It lists what is shown; everything else stays hidden.
 */

/** Folders of programs and libraries. On a machine with a merged /usr, all but the first are links into it. */
export const SYSTEM_FOLDERS: readonly string[] = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];

/**
 * The folders of programs that prepare the start of others. They are searched before the operator's search path, which
 * is meant for the programs of agents and may hold different programs of the same names.
 */
export const TOOL_FOLDERS: readonly string[] = ["/usr/bin", "/bin"];

/** Never shadow, ssl/private, hosts, resolv.conf or a tool's own configuration, which may hold credentials. */
export const SYSTEM_FILES: readonly string[] = [
  "/etc/alternatives",
  "/etc/ca-certificates",
  "/etc/group",
  "/etc/ld.so.cache",
  "/etc/ld.so.conf",
  "/etc/ld.so.conf.d",
  "/etc/localtime",
  "/etc/nsswitch.conf",
  "/etc/os-release",
  "/etc/passwd",
  "/etc/ssl/certs",
  "/etc/ssl/openssl.cnf",
];

/** Folders made anew for each child, with nothing of the host's in them. */
const PRIVATE_FOLDERS = { "/proc": "proc", "/dev": "dev", "/tmp": "tmpfs" } as const;

export interface SystemPart {
  readonly folders: readonly string[];
  readonly files: readonly string[];
  readonly privateFolders: Readonly<Record<string, "proc" | "dev" | "tmpfs">>;
}

export const LINUX: SystemPart = {
  folders: SYSTEM_FOLDERS,
  files: SYSTEM_FILES,
  privateFolders: PRIVATE_FOLDERS,
};
