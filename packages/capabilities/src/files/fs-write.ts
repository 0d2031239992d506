/** `fs_write`: creates a file, replaces one, or adds to one; whole or not at all where the system allows it. */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type CapabilityManifest, FemtoError, LIMITS, printable, systemErrorCode } from "@femtoclaw/protocol";
import type { Capability, CapabilityCall, CapabilityOutcome, JsonObject } from "../capability.ts";
import { textAt, valueAt } from "../facts/arguments.ts";
import type { BoundPath } from "../facts/bound-arguments.ts";
import { hostOutcome } from "../outcome.ts";
import { contentBytes, type Encoding } from "./content.ts";
import { ENCODING_ARGUMENT, PATH_ARGUMENT, reopen, requireType } from "./path-argument.ts";
import { createFile, replaceFile } from "./placement.ts";

const manifest: CapabilityManifest = {
  name: "fs_write",
  version: "1.0.0",
  description:
    "Writes a regular file. Mode create makes a new one and never overwrites; overwrite replaces the file and append adds to its end, and both create one that is missing. Folders are not created.",
  input: {
    type: "object",
    additionalProperties: false,
    required: ["path", "content", "mode"],
    properties: {
      path: PATH_ARGUMENT,
      content: { type: "string", maxLength: LIMITS.messageBytes },
      mode: { enum: ["create", "overwrite", "append"] },
      encoding: ENCODING_ARGUMENT,
    },
  },
  output: {
    type: "object",
    additionalProperties: false,
    required: ["bytes", "sha256"],
    properties: {
      bytes: { type: "integer", minimum: 0, description: "Bytes that were written." },
      sha256: { type: "string", description: "Digest of the bytes that were written." },
    },
  },
  arguments: [
    { pointer: "/path", kind: "path", access: "create" },
    { pointer: "/content", kind: "size" },
  ],
  effect: "write",
  idempotent: false,
  limits: { timeout_ms: LIMITS.timeoutCeilingMs, output_bytes: LIMITS.outputCeilingBytes },
};

export const fsWrite: Capability = { manifest, isolation: "host", execute };

async function execute(call: CapabilityCall): Promise<CapabilityOutcome> {
  return await hostOutcome(call.signal, () => write(call));
}

async function write({ args, bound, signal }: CapabilityCall): Promise<JsonObject> {
  const path = bound.path("/path");
  const encoding: Encoding = valueAt(args, "/encoding") === "base64" ? "base64" : "utf8";
  const content = contentBytes(String(valueAt(args, "/content")), encoding);
  if (content === null) throw new FemtoError("FEMTO_ARGUMENTS_INVALID", `the content is not well-formed ${encoding}`);
  const mode = textAt(args, "/mode");
  // A file that appears after it was found missing is never touched: its facts were not decided on.
  if (mode === "create" || path.target === null) await createFile(path, content, signal);
  else if (mode === "overwrite") await replaceFile(path, content, signal);
  else await append(path, content);
  return { bytes: content.length, sha256: createHash("sha256").update(content).digest("hex") };
}

/** The end of the file is found by the kernel at each write, so that no other writer's bytes are overwritten. */
async function append(path: BoundPath, content: Buffer): Promise<void> {
  await using file = await reopen(requireType(path, "file"), constants.O_WRONLY | constants.O_APPEND);
  const { nlink } = await file.stat();
  if (nlink > 1) {
    throw new FemtoError(
      "FEMTO_FILE_TYPE",
      `${printable(path.path)} has ${nlink} names, and the others were not decided on`,
    );
  }
  let written = 0;
  try {
    while (written < content.length) written += (await file.write(content, written)).bytesWritten;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    // What was added stays: another writer's bytes may follow it already.
    const reason = `the operating system refused with ${code} after ${written} of ${content.length} bytes were added`;
    throw new FemtoError("FEMTO_OS_REFUSED", reason);
  }
  await file.sync();
}
