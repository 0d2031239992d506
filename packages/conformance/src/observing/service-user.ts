/** Whom a host runs as that root installs: not as root, so that the system keeps it from something, too. */
import { accessSync, constants, readFileSync } from "node:fs";
import type { Command } from "../subject.ts";

/** The one that every system has, and that owns nothing. */
const NAME = "nobody";
const SETPRIV = "/usr/bin/setpriv";

export interface ServiceUser {
  readonly uid: number;
  readonly gid: number;
  /** What an installation is told. */
  readonly flags: readonly string[];
  /** What a command is started by. */
  readonly by: Command;
}

/** Null for whoever is not root and runs the host as themselves; and where there is no such user or no way to be it. */
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
