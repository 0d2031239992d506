/**
 * The call that brings back what stood there before another one: an ordinary call, which is decided on like any
 * other. It says what it expects to find, and that it means the very places, so that it does nothing where that is not
 * what the other one left. Pure.
 */
import type { KeptPath, LeftBehind } from "@femtoclaw/protocol";
import type { JsonObject } from "../capability.ts";

/** The call that takes another one back. */
export interface Reversal {
  readonly tool: string;
  readonly args: JsonObject;
}

export interface Changed {
  readonly tool: string;
  /** What stood at its paths, with the contents that are kept beside the record. */
  readonly kept: readonly KeptPath[];
  readonly left: LeftBehind;
}

/** Or why there is none. */
export function reversalOf(changed: Changed): Reversal | string {
  const reversal = callBack(changed);
  if (typeof reversal === "string") return reversal;
  return { ...reversal, args: { ...reversal.args, no_links: true } };
}

function callBack({ tool, kept, left }: Changed): Reversal | string {
  const [before, ...others] = kept;
  if (before === undefined) return "nothing was kept of what stood there before";
  if (before.lost !== undefined) return LOST[before.lost];
  switch (tool) {
    case "fs_write":
    case "fs_edit":
      return writingUndone(before, left);
    case "fs_delete":
      return deletionUndone(before);
    case "fs_move":
      return moveUndone(before, others[0], left);
    case "fs_mkdir":
      if (others.length > 0) return "it made more than one folder; delete them one by one, the innermost first";
      return creationUndone(before, left);
    default:
      // A capability of others that says what it left has put one whole file in its place, as fs_write does.
      if (others.length === 0 && left.sha256 !== undefined) return writingUndone(before, left);
      return `nothing is known that undoes ${tool}`;
  }
}

function writingUndone(before: KeptPath, left: LeftBehind): Reversal | string {
  return before.type === "missing" ? creationUndone(before, left) : changeUndone(before, left);
}

const LOST: Readonly<Record<KeptPath["lost"] & string, string>> = {
  large: "what the file held was too large to be kept",
  secret: "what the file held is secret, or looked like it, and was not kept",
  linked: "the file had several names, and would come back with one",
  unreadable: "what the file held could not be read",
};

const ERASED = "what the file held is not kept any more";
const UNKNOWN = "nothing is recorded by which it would be known again";

function creationUndone({ path }: KeptPath, { version }: LeftBehind): Reversal | string {
  return version === undefined ? UNKNOWN : { tool: "fs_delete", args: { path, version } };
}

function changeUndone({ path, content, encoding }: KeptPath, { sha256 }: LeftBehind): Reversal | string {
  if (content == null || encoding === undefined) return ERASED;
  if (sha256 === undefined) return UNKNOWN;
  return { tool: "fs_write", args: { path, ...encoded(content, encoding), mode: "overwrite", sha256 } };
}

function deletionUndone({ path, type, content, encoding }: KeptPath): Reversal | string {
  if (type === "directory") return { tool: "fs_mkdir", args: { path } };
  if (content == null || encoding === undefined) return ERASED;
  return { tool: "fs_write", args: { path, ...encoded(content, encoding), mode: "create" } };
}

function moveUndone(from: KeptPath, to: KeptPath | undefined, { version }: LeftBehind): Reversal | string {
  if (to === undefined || version === undefined) return UNKNOWN;
  return { tool: "fs_move", args: { from: to.path, to: from.path, version } };
}

/** As base64 where the escapes of JSON would take more room in the message. */
function encoded(content: string, encoding: "utf8" | "base64"): JsonObject {
  if (encoding === "base64" || JSON.stringify(content).length <= content.length * 1.25) return { content, encoding };
  return { content: Buffer.from(content, "utf8").toString("base64"), encoding: "base64" };
}
