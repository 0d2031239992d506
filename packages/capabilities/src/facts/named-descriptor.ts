/**
 * Opens a file once, and says where it really is by what was opened: the only way from a path in a call to a fact. How
 * that is done differs between systems, and where it cannot be done nothing is opened.
 */
import { constants, openSync, readlinkSync, realpathSync } from "node:fs";
import { namesByDescriptor } from "@femtoclaw/protocol";
import { Refusal } from "./refusal.ts";

/** Linux, O_PATH: names a file without opening it: no pipe is waited for, no device is touched, nothing can be read. */
const NAME_ONLY = 0o10000000;
/** macOS, O_NOFOLLOW_ANY: the kernel opens nothing where any part of the path is a link. */
const NO_LINKS = 0x20000000;
const READ = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

export interface NamedDescriptor {
  readonly descriptor: number;
  /** The name that it has by now on Linux, and had when it was opened on macOS. */
  readonly name: () => Buffer;
}

/** For a fact: what is opened need not be read, and links on the way are followed unless `flags` say otherwise. */
export function openToName(path: string, flags: number, platform: NodeJS.Platform): NamedDescriptor {
  if (namesByDescriptor(platform)) {
    const descriptor = openSync(path, NAME_ONLY | flags);
    return { descriptor, name: () => readlinkSync(`/proc/self/fd/${descriptor}`, { encoding: "buffer" }) };
  }
  // INVARIANT: the name is one that led to this file without any link when it was opened; who may change what lies there
  // is for the caller, and on macOS no call on files is taken.
  if (platform !== "darwin") throw new Refusal(`no file is held by its descriptor on ${platform}`);
  const name = realpathSync.native(path, { encoding: "buffer" });
  return { descriptor: openSync(name, READ | flags | NO_LINKS), name: () => name };
}
