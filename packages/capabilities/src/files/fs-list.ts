/** `fs_list`: the names in one folder, with what they are. */

import type { Stats } from "node:fs";
import { lstat, opendir } from "node:fs/promises";
import { type CapabilityManifest, LIMITS, systemErrorCode } from "@femtoclaw/protocol";
import type { Capability, CapabilityCall, CapabilityOutcome, JsonObject } from "../capability.ts";
import { hostOutcome } from "../outcome.ts";
import { PATH_ARGUMENT, requireType } from "./path-argument.ts";

/** LIMIT: names of one folder that are looked at; a folder with more is cut, and says so. */
const ENTRIES_MAX = 10_000;
/** LIMIT: names examined at once, so that one call does not fill the thread pool's queue. */
const EXAMINED_AT_ONCE = 64;

const manifest: CapabilityManifest = {
  name: "fs_list",
  version: "1.0.0",
  description: "Lists the names in one folder, sorted, with the type and size of each. Links are named, not followed.",
  input: {
    type: "object",
    additionalProperties: false,
    required: ["path"],
    properties: { path: PATH_ARGUMENT },
  },
  output: {
    type: "object",
    additionalProperties: false,
    required: ["entries", "truncated"],
    properties: {
      entries: {
        type: "array",
        maxItems: ENTRIES_MAX,
        items: {
          type: "object",
          additionalProperties: false,
          required: ["name", "type", "bytes"],
          properties: {
            name: { type: "string" },
            type: { enum: ["file", "directory", "link", "other"] },
            bytes: { type: "integer", minimum: 0, description: "Size of a file; 0 for all else." },
          },
        },
      },
      truncated: { type: "boolean", description: "The folder holds more than is listed." },
    },
  },
  arguments: [{ pointer: "/path", kind: "path", access: "list" }],
  effect: "read",
  idempotent: true,
  limits: { timeout_ms: LIMITS.timeoutCeilingMs, output_bytes: LIMITS.outputCeilingBytes },
};

export const fsList: Capability = { manifest, isolation: "host", execute };

type Entry = { name: string; type: "file" | "directory" | "link" | "other"; bytes: number };

async function execute(call: CapabilityCall): Promise<CapabilityOutcome> {
  return await hostOutcome(call.signal, () => list(call));
}

async function list({ bound, signal, limits }: CapabilityCall): Promise<JsonObject> {
  const { descriptor } = requireType(bound.path("/path"), "directory");
  const folder = `/proc/self/fd/${descriptor}`;
  const names = await namesIn(folder, signal);
  const entries: Entry[] = [];
  let outputBytes = 0;
  for (let at = 0; at < Math.min(names.length, ENTRIES_MAX); at += EXAMINED_AT_ONCE) {
    signal.throwIfAborted();
    const part = names.slice(at, Math.min(at + EXAMINED_AT_ONCE, ENTRIES_MAX));
    const examined = await Promise.all(part.map((name) => examine(folder, name)));
    for (const entry of examined.filter((found) => found !== null)) {
      outputBytes += Buffer.byteLength(JSON.stringify(entry)) + 1;
      if (outputBytes > limits.outputBytes) return { entries, truncated: true };
      entries.push(entry);
    }
  }
  return { entries, truncated: names.length > ENTRIES_MAX };
}

/** Sorted by code point of their bytes; at most one more than are listed, so that a cut shows. */
async function namesIn(folder: string, signal: AbortSignal): Promise<Buffer[]> {
  const names: Buffer[] = [];
  const entries = await opendir(folder, { encoding: "buffer" as BufferEncoding, bufferSize: 256 });
  // The loop closes the folder, however it ends.
  for await (const entry of entries) {
    signal.throwIfAborted();
    // With the encoding "buffer" the name is one, which Node's types do not say.
    names.push(entry.name as unknown as Buffer);
    if (names.length > ENTRIES_MAX) break;
  }
  return names.sort(Buffer.compare);
}

/** A name that is not UTF-8 is shown with replacement characters; one that vanished meanwhile is left out. */
async function examine(folder: string, name: Buffer): Promise<Entry | null> {
  try {
    const found = await lstat(Buffer.concat([Buffer.from(`${folder}/`), name]));
    return { name: name.toString("utf8"), type: typeOf(found), bytes: found.isFile() ? found.size : 0 };
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return null;
    throw error;
  }
}

function typeOf(found: Stats): Entry["type"] {
  if (found.isFile()) return "file";
  if (found.isDirectory()) return "directory";
  return found.isSymbolicLink() ? "link" : "other";
}
