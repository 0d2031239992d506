/** `fs_delete`: removes a file or an empty folder, and nothing else. */
import { rmdir, unlink } from "node:fs/promises";
import { type CapabilityManifest, FemtoError, LIMITS, printable, systemErrorCode } from "@femtoclaw/protocol";
import type { Capability, CapabilityCall, CapabilityOutcome } from "../capability.ts";
import { valueAt } from "../facts/arguments.ts";
import { type Change, changeOutcome } from "../outcome.ts";
import { leafOf, missing, openFolder, requireLeaf, requirePlace, unexpected } from "./held-place.ts";
import { stateOf, versionOf } from "./kept.ts";
import { NO_LINKS_ARGUMENT, PATH_ARGUMENT, requireNoLinks, VERSION_ARGUMENT } from "./path-argument.ts";

const manifest: CapabilityManifest = {
  name: "fs_delete",
  version: "1.1.0",
  description: "Deletes a regular file or an empty folder. A folder that holds something is left alone.",
  input: {
    type: "object",
    additionalProperties: false,
    required: ["path"],
    properties: { path: PATH_ARGUMENT, version: VERSION_ARGUMENT, no_links: NO_LINKS_ARGUMENT },
  },
  output: {
    type: "object",
    additionalProperties: false,
    required: ["type"],
    properties: { type: { enum: ["file", "directory"], description: "What was deleted." } },
  },
  arguments: [{ pointer: "/path", kind: "path", access: "create" }],
  effect: "write",
  idempotent: false,
  limits: { timeout_ms: LIMITS.timeoutCeilingMs, output_bytes: LIMITS.outputCeilingBytes },
};

export const fsDelete: Capability = { manifest, isolation: "host", keeps: "content", execute };

async function execute(call: CapabilityCall): Promise<CapabilityOutcome> {
  return await changeOutcome(call.signal, () => remove(call));
}

async function remove(call: CapabilityCall): Promise<Change> {
  const {
    args,
    bound,
    kept: [before],
    signal,
  } = call;
  requireNoLinks(call, ["/path"]);
  const path = bound.path("/path");
  const { target, type } = path;
  if (target === null || type === "missing") throw missing(path);
  const leaf = leafOf(path);
  await using folder = await openFolder(path);
  requirePlace(path);
  const found = await requireLeaf(path, target);
  const expected = valueAt(args, "/version");
  if (expected !== undefined && versionOf(found) !== expected) throw unexpected(path, "version");
  signal.throwIfAborted();
  try {
    await (type === "file" ? unlink(leaf) : rmdir(leaf));
  } catch (error) {
    if (systemErrorCode(error) !== "ENOTEMPTY") throw error;
    throw new FemtoError("FEMTO_FILE_TYPE", `${printable(path.path)} is a folder that is not empty`, {
      fix: "Delete its contents first.",
    });
  }
  await folder.sync();
  const isKept = before !== undefined && before.entry.lost === undefined && before.state === stateOf(found);
  return { result: { type }, left: isKept ? {} : null };
}
