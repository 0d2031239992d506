/**
 * Opens a file once and reads its real path back from what was opened: the only way from a path in a call to a fact.
 * Systems differ in how that is done, and on a system that cannot do it nothing is opened.
 */
import { constants, openSync, readlinkSync, realpathSync } from "node:fs";
import { namesByDescriptor } from "@femtoclaw/protocol";
import { Refusal } from "./refusal.ts";

/** O_PATH of Linux names a file without opening it: it waits for no pipe, touches no device, and allows no reading. */
const NAME_ONLY = 0o10000000;
/** O_NOFOLLOW_ANY of macOS: the kernel refuses a path of which any part is a link. */
const NO_LINKS = 0x20000000;
const READ = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

export interface NamedDescriptor {
  readonly descriptor: number;
  /** The file's name: its current one on Linux, the one by which it was opened on macOS. */
  readonly name: () => Buffer;
}

/**
 * Opens a file to take facts. It need not be readable, and links on the way are followed unless `flags` say otherwise.
 */
export function openToName(path: string, flags: number, platform: NodeJS.Platform): NamedDescriptor {
  if (namesByDescriptor(platform)) {
    const descriptor = openSync(path, NAME_ONLY | flags);
    return { descriptor, name: () => readlinkSync(`/proc/self/fd/${descriptor}`, { encoding: "buffer" }) };
  }
  // INVARIANT: the name led to this file without any link when it was opened. It is up to the caller who may change
  // what lies there; no call on files is accepted on macOS.
  if (platform !== "darwin") throw new Refusal(`no file is held by its descriptor on ${platform}`);
  const name = realpathSync.native(path, { encoding: "buffer" });
  return { descriptor: openSync(name, READ | flags | NO_LINKS), name: () => name };
}
