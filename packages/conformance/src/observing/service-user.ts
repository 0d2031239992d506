/** The user that a host runs as when root installs it: not root, so that the system's own permissions apply as well. */
import { accessSync, constants, readFileSync } from "node:fs";
import type { Command } from "../subject.ts";

/** A user that every system has and that owns nothing. */
const NAME = "nobody";
const SETPRIV = "/usr/bin/setpriv";

export interface ServiceUser {
  readonly uid: number;
  readonly gid: number;
  /** The flags for `install`. */
  readonly flags: readonly string[];
  /** The command prefix that starts a program as this user. */
  readonly by: Command;
}

/** Null if this process is not root, so that the host runs as its own user, or if that user cannot be had. */
export function serviceUser(): ServiceUser | null {
  if (process.getuid?.() !== 0) return null;
  try {
    accessSync(SETPRIV, constants.X_OK);
    const [, uid, gid] = /^nobody:[^:]*:(\d+):(\d+):/m.exec(readFileSync("/etc/passwd", "utf8")) ?? [];
    if (uid === undefined || gid === undefined) return null;
    const flags = ["--system", "--service-user", NAME];
    const by: Command = [SETPRIV, `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", "--"];
    return { uid: Number(uid), gid: Number(gid), flags, by };
  } catch {
    return null;
  }
}
