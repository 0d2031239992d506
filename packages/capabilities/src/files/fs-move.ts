/** `fs_move`: moves a file or folder within its file system, and never overwrites anything. */
import { fstatSync } from "node:fs";
import { mkdir, rename, rmdir, unlink } from "node:fs/promises";
import { type CapabilityManifest, FemtoError, LIMITS, printable, systemErrorCode } from "@femtoclaw/protocol";
import type { Capability, CapabilityCall, CapabilityOutcome } from "../capability.ts";
import { valueAt } from "../facts/arguments.ts";
import type { BoundPath, HeldFile } from "../facts/bound-arguments.ts";
import { type Change, changeOutcome } from "../outcome.ts";
import {
  changed,
  exists,
  leafOf,
  linkNew,
  missing,
  openFolder,
  requireLeaf,
  requirePlace,
  targetAt,
  unexpected,
} from "./held-place.ts";
import { versionOf } from "./kept.ts";
import { NO_LINKS_ARGUMENT, PATH_ARGUMENT, requireNoLinks, VERSION_ARGUMENT } from "./path-argument.ts";
import { WalkBounds, walk } from "./walk.ts";

/** LIMIT: names below a moved folder; each of them is decided on at both places. */
const ENTRIES_MAX = 10_000;

const manifest: CapabilityManifest = {
  name: "fs_move",
  version: "1.1.0",
  description:
    "Moves or renames a regular file or a folder within one file system. Nothing that exists is overwritten.",
  input: {
    type: "object",
    additionalProperties: false,
    required: ["from", "to"],
    properties: {
      from: PATH_ARGUMENT,
      to: { ...PATH_ARGUMENT, description: "The new path itself, not the folder to move into." },
      version: VERSION_ARGUMENT,
      no_links: NO_LINKS_ARGUMENT,
    },
  },
  output: {
    type: "object",
    additionalProperties: false,
    required: ["type"],
    properties: { type: { enum: ["file", "directory"], description: "What was moved." } },
  },
  arguments: [
    { pointer: "/from", kind: "path", access: "create", recursive: true },
    { pointer: "/to", kind: "path", access: "create" },
  ],
  effect: "write",
  idempotent: false,
  limits: { timeout_ms: LIMITS.timeoutCeilingMs, output_bytes: LIMITS.outputCeilingBytes },
};

export const fsMove: Capability = { manifest, isolation: "host", keeps: "names", execute };

async function execute(call: CapabilityCall): Promise<CapabilityOutcome> {
  return await changeOutcome(call.signal, () => move(call));
}

async function move(call: CapabilityCall): Promise<Change> {
  const { args, bound, signal } = call;
  requireNoLinks(call, ["/from", "/to"]);
  const [from, to] = [bound.path("/from"), bound.path("/to")];
  const { target, type } = from;
  if (target === null || type === "missing") throw missing(from);
  if (to.target !== null) throw exists(to);
  if (to.path.startsWith(`${from.path}/`)) {
    throw new FemtoError("FEMTO_CAPABILITY_FAILED", `${printable(to.path)} is inside the folder that would be moved`, {
      fix: "Name a path outside the folder.",
    });
  }
  if (type === "directory") await requireMovable(from, target, to, call);
  await using folder = await openFolder(from);
  await using newFolder = await openFolder(to);
  for (const end of [from, to]) requirePlace(end);
  const found = await requireLeaf(from, target);
  const expected = valueAt(args, "/version");
  if (expected !== undefined && versionOf(found) !== expected) throw unexpected(from, "version");
  signal.throwIfAborted();
  try {
    await (type === "file" ? moveFile(from, target, to) : moveFolder(from, target, to));
  } catch (error) {
    if (systemErrorCode(error) !== "EXDEV") throw error;
    const reason = `${printable(from.path)} and ${printable(to.path)} are on different file systems`;
    throw new FemtoError("FEMTO_OS_REFUSED", reason, {
      fix: "Write the contents to the new path, then delete the old file.",
    });
  }
  await newFolder.sync();
  await folder.sync();
  // Of what was moved, not of what somebody else has put there since.
  const moved = fstatSync(target.descriptor, { bigint: true });
  return { result: { type }, left: { version: versionOf(moved) } };
}

/**
 * INVARIANT: a rule that keeps a path in its place, or out of another, is not circumvented by moving a folder around
 * it: everything below the folder is decided on at both places.
 */
async function requireMovable(from: BoundPath, target: HeldFile, to: BoundPath, call: CapabilityCall): Promise<void> {
  const bounds = new WalkBounds(ENTRIES_MAX);
  const refused = new FemtoError(
    "FEMTO_CAPABILITY_FAILED",
    `${printable(from.path)} contains something that the policy does not let the call move, so the folder was not moved`,
    { fix: "Move the parts of it that may be moved." },
  );
  let isHeldBack = false;
  const mayReach: CapabilityCall["mayReach"] = (path, type) => {
    const there = `${to.path}${path.slice(from.path.length)}`;
    const may = call.mayReach(path, type) && call.mayReach(there, type);
    isHeldBack ||= !may;
    return may;
  };
  const root = { descriptor: target.descriptor, path: from.path };
  let isAnotherSystem = false;
  for await (const { found } of walk(root, { mayReach, signal: call.signal, turn: () => call.turn() }, bounds)) {
    // The walk does not enter another file system, but a rename would take it along.
    isAnotherSystem ||= found.dev !== target.device;
    if (isHeldBack || isAnotherSystem) break;
  }
  if (isHeldBack) throw refused;
  if (isAnotherSystem || bounds.isBlind) {
    const what = isAnotherSystem ? "another file system" : "what the host may not look at";
    throw new FemtoError(
      "FEMTO_CAPABILITY_FAILED",
      `${printable(from.path)} contains ${what}, so the folder was not moved`,
      {
        fix: "Move the other parts of it.",
      },
    );
  }
  if (!bounds.isCut) return;
  const most = `only a folder with at most ${ENTRIES_MAX} names, none of them too deep, can be moved`;
  throw new FemtoError("FEMTO_FILE_TOO_LARGE", `${printable(from.path)} holds more: ${most}`, {
    fix: "Move the parts of it one by one.",
  });
}

/** Links the new name first, which never overwrites, and then unlinks the old one: the file always has a name. */
async function moveFile(from: BoundPath, target: HeldFile, to: BoundPath): Promise<void> {
  const [old, next] = [leafOf(from), leafOf(to)];
  await linkNew(old, next, to);
  try {
    if ((await targetAt(next, target)) === null || (await targetAt(old, target)) === null) throw changed(from);
  } catch (error) {
    // What the call reports is why it moved nothing, not that the new name could not be taken away again.
    await unlink(next).catch(() => undefined);
    throw error;
  }
  try {
    await unlink(old);
  } catch (error) {
    // Whoever else took the old name away in the last moment left the file to the new one.
    if (systemErrorCode(error) === "ENOENT") return;
    if ((await targetAt(old, target)) !== null) await unlink(next).catch(() => undefined);
    throw error;
  }
}

/** An empty folder reserves the new place; a rename replaces it only while it is empty. */
async function moveFolder(from: BoundPath, target: HeldFile, to: BoundPath): Promise<void> {
  const [old, next] = [leafOf(from), leafOf(to)];
  try {
    await mkdir(next);
  } catch (error) {
    throw systemErrorCode(error) === "EEXIST" ? exists(to) : error;
  }
  try {
    await rename(old, next);
  } catch (error) {
    await rmdir(next).catch(() => undefined);
    throw error;
  }
  if ((await targetAt(next, target)) !== null) return;
  // Something else had taken the old name in the last moment; it is moved back.
  try {
    await rename(next, old);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    const reason = `${changed(from).message}; the folder that stood there last is at ${printable(to.path)} now, and was not moved back because the operating system refused with ${code}`;
    throw new FemtoError("FEMTO_FILE_CHANGED", reason, { fix: "Look at both places, and move it by hand." });
  }
  throw changed(from);
}
