/** What the file capabilities share: their arguments, and how a target is opened again. */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { FemtoError, LIMITS, printable } from "@femtoclaw/protocol";
import type { CapabilityCall } from "../capability.ts";
import { textAt, valueAt } from "../facts/arguments.ts";
import type { BoundPath, HeldFile } from "../facts/bound-arguments.ts";

export const PATH_ARGUMENT = {
  type: "string",
  minLength: 1,
  maxLength: LIMITS.pathBytes,
  description: "Path, relative to the workspace or absolute.",
} as const;

export const ENCODING_ARGUMENT = {
  enum: ["utf8", "base64"],
  description: "How the content stands for bytes. Default: utf8.",
} as const;

/** The target of a bound path; throws if it is not of the wanted type. */
export function requireType({ path, type, target }: BoundPath, wanted: "file" | "directory"): HeldFile {
  if (target === null) throw new FemtoError("FEMTO_FILE_NOT_FOUND", `${printable(path)} does not exist`);
  if (type !== wanted) {
    const words = { file: "a regular file", directory: "a folder" };
    throw new FemtoError("FEMTO_FILE_TYPE", `${printable(path)} is not ${words[wanted]}`);
  }
  return target;
}

/**
 * INVARIANT: what is opened is what was decided on. The descriptor stands for the file itself, so that no path is
 * looked up a second time; its entry in /proc is a link that has to be followed.
 */
export async function reopen({ descriptor }: { readonly descriptor: number }, flags: number): Promise<FileHandle> {
  return await open(`/proc/self/fd/${descriptor}`, flags | constants.O_NONBLOCK | constants.O_NOCTTY);
}

export const SHA256_ARGUMENT = {
  type: "string",
  pattern: "^[0-9a-f]{64}$",
  description: "Digest that the file's content has to have; another one, and nothing is changed.",
} as const;

export const VERSION_ARGUMENT = {
  type: "string",
  pattern: "^[0-9]+\\.[0-9]+\\.[0-9]+$",
  description: "Version that it has to have, as fs_stat gives it; another one, and nothing is changed.",
} as const;

export const NO_LINKS_ARGUMENT = {
  type: "boolean",
  description: "Whether nothing is changed where a link on the way leads elsewhere. Default: false.",
} as const;

/**
 * For a call that names the very places, as an undo does. INVARIANT: I8: nobody who may put a link there, and may do less
 * than the proposer, chooses what is changed in the proposer's name.
 */
export function requireNoLinks({ args, bound, authority }: CapabilityCall, pointers: readonly string[]): void {
  if (valueAt(args, "/no_links") !== true) return;
  for (const pointer of pointers) {
    const text = textAt(args, pointer);
    const named = text.startsWith("/") ? text : `${authority.workspace}/${text}`;
    const { path, further } = bound.path(pointer);
    if ([path, ...further].join("/") === named) continue;
    throw new FemtoError(
      "FEMTO_FILE_CHANGED",
      `${printable(text)} leads to ${printable(path)}, which is not the path that the call names`,
      {
        fix: "Look at what is there now, and name the path itself.",
      },
    );
  }
}
