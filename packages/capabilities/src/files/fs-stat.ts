/** `fs_stat`: describes what stands at a path without reading it. */
import { fstatSync } from "node:fs";
import { type CapabilityManifest, LIMITS } from "@femtoclaw/protocol";
import type { Capability, CapabilityCall, CapabilityOutcome, JsonObject } from "../capability.ts";
import { hostOutcome } from "../outcome.ts";
import { missing } from "./held-place.ts";
import { versionOf } from "./kept.ts";
import { PATH_ARGUMENT } from "./path-argument.ts";

const manifest: CapabilityManifest = {
  name: "fs_stat",
  version: "1.0.0",
  description: "Tells what a file or folder is, without reading it.",
  input: {
    type: "object",
    additionalProperties: false,
    required: ["path"],
    properties: { path: PATH_ARGUMENT },
  },
  output: {
    type: "object",
    additionalProperties: false,
    required: ["path", "type", "bytes", "mode", "links", "modified", "version"],
    properties: {
      path: { type: "string", description: "Where it really is." },
      type: { enum: ["file", "directory"] },
      bytes: { type: "integer", minimum: 0, description: "Size of a file; 0 for a folder." },
      mode: { type: "string", description: "Permissions as an octal number." },
      links: { type: "integer", minimum: 0, description: "Names that a file has; 0 for a folder." },
      modified: { type: "string", description: "Time of the last change of its content, UTC." },
      version: { type: "string", description: "Another one after each change; fs_delete and fs_move can expect it." },
    },
  },
  arguments: [{ pointer: "/path", kind: "path", access: "read" }],
  effect: "read",
  idempotent: true,
  limits: { timeout_ms: LIMITS.timeoutCeilingMs, output_bytes: LIMITS.outputCeilingBytes },
};

export const fsStat: Capability = { manifest, isolation: "host", execute };

async function execute(call: CapabilityCall): Promise<CapabilityOutcome> {
  return await hostOutcome(call.signal, async () => described(call));
}

function described({ bound }: CapabilityCall): JsonObject {
  const path = bound.path("/path");
  if (path.target === null) throw missing(path);
  const found = fstatSync(path.target.descriptor, { bigint: true });
  const isFile = found.isFile();
  return {
    path: path.path,
    type: isFile ? "file" : "directory",
    bytes: isFile ? Number(found.size) : 0,
    mode: (Number(found.mode) & 0o7777).toString(8).padStart(4, "0"),
    links: isFile ? Number(found.nlink) : 0,
    modified: found.mtime.toISOString(),
    version: versionOf(found),
  };
}
