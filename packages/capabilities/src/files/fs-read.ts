/** `fs_read`: reads a regular file or a part of it. */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { type CapabilityManifest, FemtoError, LIMITS, printable } from "@femtoclaw/protocol";
import type { Capability, CapabilityCall, CapabilityOutcome, JsonObject } from "../capability.ts";
import { valueAt } from "../facts/arguments.ts";
import { haveRoom, hostOutcome } from "../outcome.ts";
import { contentText, type Encoding } from "./content.ts";
import { ENCODING_ARGUMENT, PATH_ARGUMENT, reopen, requireType } from "./path-argument.ts";

/** LIMIT: bytes read at once; a cancelled call ends between two such reads. */
const CHUNK_BYTES = 1_048_576;

const manifest: CapabilityManifest = {
  name: "fs_read",
  version: "1.0.0",
  description: "Reads a regular file, or the part of it that offset and length name in bytes.",
  input: {
    type: "object",
    additionalProperties: false,
    required: ["path"],
    properties: {
      path: PATH_ARGUMENT,
      offset: { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: "First byte. Default: 0." },
      length: {
        type: "integer",
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        description: "Bytes at most. Default: all that follow.",
      },
      encoding: ENCODING_ARGUMENT,
    },
  },
  output: {
    type: "object",
    additionalProperties: false,
    required: ["content", "bytes", "sha256"],
    properties: {
      content: { type: "string" },
      bytes: { type: "integer", minimum: 0, description: "Bytes that were read." },
      sha256: { type: "string", description: "Digest of the bytes that were read." },
    },
  },
  arguments: [{ pointer: "/path", kind: "path", access: "read" }],
  effect: "read",
  idempotent: true,
  limits: { timeout_ms: LIMITS.timeoutCeilingMs, output_bytes: LIMITS.outputCeilingBytes },
};

export const fsRead: Capability = { manifest, isolation: "host", execute };

async function execute(call: CapabilityCall): Promise<CapabilityOutcome> {
  return await hostOutcome(call.signal, () => read(call));
}

async function read({ args, bound, signal, limits }: CapabilityCall): Promise<JsonObject> {
  const path = bound.path("/path");
  const offset = Number(valueAt(args, "/offset") ?? 0);
  const length = valueAt(args, "/length");
  const encoding: Encoding = valueAt(args, "/encoding") === "base64" ? "base64" : "utf8";
  await using file = await reopen(requireType(path, "file"), constants.O_RDONLY);
  const bytes = await readPart(file, offset, typeof length === "number" ? length : null, limits.outputBytes, signal);
  if (bytes === null) {
    const most = `at most ${limits.outputBytes} bytes are read in one call`;
    throw new FemtoError("FEMTO_FILE_TOO_LARGE", `${printable(path.path)} is larger: ${most}`);
  }
  const content = contentText(bytes, encoding);
  if (content === null) {
    throw new FemtoError("FEMTO_CAPABILITY_FAILED", `${printable(path.path)} is not UTF-8 there`, {
      fix: 'Read it with encoding "base64".',
    });
  }
  if (!haveRoom([content])) {
    const reason = `what ${printable(path.path)} holds there has more bytes as JSON than a result has room for`;
    throw new FemtoError("FEMTO_FILE_TOO_LARGE", reason, { fix: "Read it in parts, by offset and length." });
  }
  return { content, bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
}

/** Null if more than `bytesMax` would be read. Reads to the end of the file, whatever size it claims. */
async function readPart(
  file: FileHandle,
  offset: number,
  length: number | null,
  bytesMax: number,
  signal: AbortSignal,
): Promise<Buffer | null> {
  const { size } = await file.stat();
  if (Math.min(length ?? Number.POSITIVE_INFINITY, size - offset) > bytesMax) return null;
  const wanted = Math.min(length ?? Number.POSITIVE_INFINITY, bytesMax + 1);
  const chunks: Buffer[] = [];
  let total = 0;
  while (total < wanted) {
    signal.throwIfAborted();
    // Asking for one byte more than is left reveals the end of the file in the same read. A file that grows meanwhile is
    // read on in whole chunks.
    const left = size - offset - total;
    const expected = left >= 0 ? left + 1 : CHUNK_BYTES;
    const chunk = Buffer.allocUnsafeSlow(Math.min(wanted - total, expected, CHUNK_BYTES));
    const { bytesRead } = await file.read(chunk, 0, chunk.length, offset + total);
    chunks.push(chunk.subarray(0, bytesRead));
    total += bytesRead;
    if (bytesRead < chunk.length) break;
  }
  return total > bytesMax ? null : Buffer.concat(chunks);
}
