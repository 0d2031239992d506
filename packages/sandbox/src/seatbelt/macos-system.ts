/** The part of a Mac that every child sees; the counterpart of `system.ts` for Linux. */
import type { SystemPart } from "../views/system.ts";

/**
 * Programs, libraries, and the few files without which programs do not start. Never /usr/local, /opt, /Library as a
 * whole or /System/Volumes, below which homes can be reached by a second name. No folder is private to a child here.
 */
export const MACOS: SystemPart = {
  folders: [
    ...["/bin", "/sbin", "/usr/bin", "/usr/lib", "/usr/libexec", "/usr/sbin", "/usr/share"],
    ...["/System/Library", "/System/Cryptexes", "/System/Volumes/Preboot/Cryptexes", "/Library/Apple"],
    ...["/Library/Developer/CommandLineTools", "/private/etc/ssl", "/private/var/db/dyld", "/private/var/db/timezone"],
  ],
  files: [
    ...["/private/etc/group", "/private/etc/passwd", "/private/etc/localtime", "/private/etc/shells"],
    ...["/private/var/select/sh", "/private/var/select/developer_dir"],
  ],
  privateFolders: {},
};

/** Links of the system by which programs find files below /private. */
export const MACOS_LINKS: readonly string[] = ["/etc", "/tmp", "/var"];

/** Hidden under both of their names: the hashes of passwords, and the folder that holds them for macOS. */
export const MACOS_SECRETS: readonly string[] = ["/private/etc/master.passwd", "/private/var/db/dslocal"];

/** Every path of the volume that holds the homes has a second name with this prefix. */
export const SECOND_NAME = "/System/Volumes/Data";
