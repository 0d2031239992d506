/** `fs_edit`: replaces one text in a file that has it exactly once; all other bytes stay as they are. */
import { createHash } from "node:crypto";
import { fstatSync } from "node:fs";
import { type CapabilityManifest, FemtoError, LIMITS, printable } from "@femtoclaw/protocol";
import type { Capability, CapabilityCall, CapabilityOutcome } from "../capability.ts";
import { textAt, valueAt } from "../facts/arguments.ts";
import { type Change, changeOutcome } from "../outcome.ts";
import { leftOf } from "./fs-write.ts";
import { unexpected } from "./held-place.ts";
import { readWhole, stateOf, versionOf } from "./kept.ts";
import { PATH_ARGUMENT, requireType, SHA256_ARGUMENT } from "./path-argument.ts";
import { replaceFile } from "./placement.ts";
import { TextSearch } from "./text-search.ts";

/** LIMIT: bytes of a file that is edited; it is held in memory several times, and no source text is larger. */
const FILE_BYTES = 16_777_216;

const manifest: CapabilityManifest = {
  name: "fs_edit",
  version: "1.0.0",
  description:
    "Replaces the text `old` in a regular file by `new`. The file has to hold `old` exactly once, byte for byte; else nothing is changed.",
  input: {
    type: "object",
    additionalProperties: false,
    required: ["path", "old", "new"],
    properties: {
      path: PATH_ARGUMENT,
      old: { type: "string", minLength: 1, maxLength: LIMITS.messageBytes },
      new: { type: "string", maxLength: LIMITS.messageBytes },
      sha256: SHA256_ARGUMENT,
    },
  },
  output: {
    type: "object",
    additionalProperties: false,
    required: ["bytes", "sha256"],
    properties: {
      bytes: { type: "integer", minimum: 0, description: "Bytes that the file has now." },
      sha256: { type: "string", description: "Digest of what it holds now." },
    },
  },
  arguments: [
    { pointer: "/path", kind: "path", access: "create" },
    { pointer: "/new", kind: "size" },
  ],
  effect: "write",
  idempotent: false,
  limits: { timeout_ms: LIMITS.timeoutCeilingMs, output_bytes: LIMITS.outputCeilingBytes },
};

export const fsEdit: Capability = { manifest, isolation: "host", keeps: "content", execute };

async function execute(call: CapabilityCall): Promise<CapabilityOutcome> {
  return await changeOutcome(call.signal, () => edit(call));
}

async function edit({ args, bound, kept, signal }: CapabilityCall): Promise<Change> {
  const path = bound.path("/path");
  const target = requireType(path, "file");
  const state = stateOf(fstatSync(target.descriptor, { bigint: true }));
  const before = await readWhole(target, FILE_BYTES);
  if (before === null) {
    const most = `a file of at most ${FILE_BYTES} bytes is edited`;
    throw new FemtoError("FEMTO_FILE_TOO_LARGE", `${printable(path.path)} is larger: ${most}`, {
      fix: "Change a file of this size by a program.",
    });
  }
  const expected = valueAt(args, "/sha256");
  if (typeof expected === "string" && sha256Of(before) !== expected) throw unexpected(path, "sha256");
  const after = edited(before, textAt(args, "/old"), textAt(args, "/new"), path.path);
  const { placed, state: replaced } = await replaceFile(path, after, signal, state);
  const sha256 = sha256Of(after);
  return {
    result: { bytes: after.length, sha256 },
    left: leftOf({ sha256, version: versionOf(placed) }, kept, replaced),
  };
}

/** Occurrences that overlap are two: which of them is meant would be a guess. */
function edited(before: Buffer, old: string, replacement: string, path: string): Buffer {
  const wanted = Buffer.from(old, "utf8");
  const search = new TextSearch(wanted);
  const at = search.indexIn(before);
  if (at === -1)
    throw refused(path, "does not hold the text `old`", "Read the file, and name the text as it stands there.");
  if (search.indexIn(before, at + 1) !== -1) {
    throw refused(path, "holds the text `old` more than once", "Name more of the text around the place that is meant.");
  }
  return Buffer.concat([before.subarray(0, at), Buffer.from(replacement, "utf8"), before.subarray(at + wanted.length)]);
}

const refused = (path: string, what: string, fix: string): FemtoError =>
  new FemtoError("FEMTO_CAPABILITY_FAILED", `${printable(path)} ${what}, so nothing was changed`, { fix });

const sha256Of = (content: Buffer): string => createHash("sha256").update(content).digest("hex");
