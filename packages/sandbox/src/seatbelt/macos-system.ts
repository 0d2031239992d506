/** The part of a Mac that every child sees, in the place of what stands for Linux in `system.ts`. */
import type { SystemPart } from "../system.ts";

/**
 * Programs, libraries, and the few files without which programs do not start. Never /usr/local, /opt, /Library as a whole
 * or /System/Volumes, below which homes can be reached by a second name; nothing has a private folder here.
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

/** Links of the system by which programs find what lies below /private. */
export const MACOS_LINKS: readonly string[] = ["/etc", "/tmp", "/var"];

/** Beside the second name of what is hidden anyway: the hashes of passwords, and what holds them for macOS. */
export const MACOS_SECRETS: readonly string[] = ["/private/etc/master.passwd", "/private/var/db/dslocal"];

/** Every path of the volume with homes has a second name behind this. */
export const SECOND_NAME = "/System/Volumes/Data";
