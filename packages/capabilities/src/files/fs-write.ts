/** `fs_write`: creates a file, replaces it or appends to it; atomically if the system allows it. */
import { createHash } from "node:crypto";
import { constants, fstatSync } from "node:fs";
import { FemtoError, type LeftBehind, LIMITS, printable, systemErrorCode } from "@femtoclaw/protocol";
import type { Capability, CapabilityCall, CapabilityOutcome } from "../capability.ts";
import { contentAt, textAt, valueAt } from "../facts/arguments.ts";
import type { BoundPath } from "../facts/bound-arguments.ts";
import { digestOf } from "../facts/program-digests.ts";
import { type Change, changeOutcome } from "../outcome.ts";
import { contentBytes, type Encoding } from "./content.ts";
import { contentManifest, leftOf } from "./content-change.ts";
import { requireLeaf, requirePlace, unexpected } from "./held-place.ts";
import { type Kept, stateOf, versionOf } from "./kept.ts";
import {
  ENCODING_ARGUMENT,
  NO_LINKS_ARGUMENT,
  PATH_ARGUMENT,
  reopen,
  requireNoLinks,
  requireType,
  SHA256_ARGUMENT,
} from "./path-argument.ts";
import { createFile, replaceFile } from "./placement.ts";

/** LIMIT: bytes of a file that is hashed to see whether it is the expected one; a larger one would take seconds. */
const EXPECTED_BYTES = 67_108_864;

const manifest = contentManifest({
  name: "fs_write",
  version: "1.2.0",
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
      sha256: SHA256_ARGUMENT,
      no_links: NO_LINKS_ARGUMENT,
    },
  },
  content: "/content",
  result: { bytes: "Bytes that were written.", sha256: "Digest of the bytes that were written." },
});

export const fsWrite: Capability = { manifest, isolation: "host", keeps: "content", execute };

async function execute(call: CapabilityCall): Promise<CapabilityOutcome> {
  return await changeOutcome(call.signal, () => write(call));
}

async function write(call: CapabilityCall): Promise<Change> {
  const { args, bound, kept } = call;
  requireNoLinks(call, ["/path"]);
  const path = bound.path("/path");
  const encoding: Encoding = valueAt(args, "/encoding") === "base64" ? "base64" : "utf8";
  const content = contentBytes(contentAt(args, "/content"), encoding);
  if (content === null) throw new FemtoError("FEMTO_ARGUMENTS_INVALID", `the content is not well-formed ${encoding}`);
  const mode = textAt(args, "/mode");
  const expected = valueAt(args, "/sha256");
  if (expected !== undefined && mode !== "overwrite") {
    throw new FemtoError("FEMTO_CAPABILITY_FAILED", `sha256 is only for overwriting a file, not for mode ${mode}`, {
      fix: 'Use mode "overwrite", or leave out sha256.',
    });
  }
  const sha256 = digest(content);
  const result = { bytes: content.length, sha256 };
  // A file that appears after it was found missing is never touched, because its facts were not decided on.
  if (mode === "create" || (path.target === null && expected === undefined)) {
    return { result, left: { sha256, version: versionOf(await createFile(path, content, call)) } };
  }
  if (mode !== "overwrite") return { result, left: await append(path, content, kept) };
  const state = typeof expected === "string" ? await stateWith(path, expected) : undefined;
  const { placed, state: replaced } = await replaceFile(path, content, call, state);
  return { result, left: leftOf({ sha256, version: versionOf(placed) }, kept, replaced) };
}

/** The state that the file has as long as it has this content. */
async function stateWith(path: BoundPath, expected: string): Promise<string> {
  const target = requireType(path, "file");
  const found = fstatSync(target.descriptor, { bigint: true });
  if (found.size > EXPECTED_BYTES) {
    throw new FemtoError("FEMTO_FILE_TOO_LARGE", `${printable(path.path)} has more than ${EXPECTED_BYTES} bytes`);
  }
  if ((await digestOf(target.descriptor, Number(found.size))) !== expected) throw unexpected(path, "sha256");
  return stateOf(found);
}

/** The kernel finds the end of the file at each write, so that no bytes of another writer are overwritten. */
async function append(path: BoundPath, content: Buffer, [before]: readonly Kept[]): Promise<LeftBehind | null> {
  const target = requireType(path, "file");
  await using file = await reopen(target, constants.O_WRONLY | constants.O_APPEND);
  // What is added to a file that has lost its name would be lost with it.
  requirePlace(path);
  await requireLeaf(path, target);
  const { nlink } = await file.stat();
  if (nlink > 1) {
    throw new FemtoError(
      "FEMTO_FILE_TYPE",
      `${printable(path.path)} has ${nlink} names (hard links), and the policy has decided on only one of them`,
    );
  }
  let written = 0;
  try {
    while (written < content.length) written += (await file.write(content, written)).bytesWritten;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    // Appended bytes stay, because another writer's bytes may follow them already.
    const reason = `the operating system refused with ${code} after ${written} of ${content.length} bytes were added`;
    throw new FemtoError("FEMTO_OS_REFUSED", reason);
  }
  await file.sync();
  // If others have appended too, the file differs from this digest, and an undo notices.
  return before?.content == null ? null : { sha256: digest(Buffer.concat([before.content, content])) };
}

const digest = (content: Buffer): string => createHash("sha256").update(content).digest("hex");
