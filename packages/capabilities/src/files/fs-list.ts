/** `fs_list`: the names in one folder, or of everything below it, with their types. */
import { lstat } from "node:fs/promises";
import { type CapabilityManifest, LIMITS } from "@femtoclaw/protocol";
import type { Capability, CapabilityCall, CapabilityOutcome, JsonObject } from "../capability.ts";
import { valueAt } from "../facts/arguments.ts";
import type { HeldFolder } from "../facts/bound-arguments.ts";
import { hostOutcome, RESULT_ROOM } from "../outcome.ts";
import { nextTurn } from "./pace.ts";
import { PATH_ARGUMENT, requireType } from "./path-argument.ts";
import { namesIn, noteLeftOut, typeOf, WalkBounds, type WalkEntry, walk } from "./walk.ts";

/** LIMIT: names examined in one call; if there are more, the list is cut and says so. */
const ENTRIES_MAX = 10_000;
/** LIMIT: names examined at once, so that one call does not fill the queue of the thread pool. */
const EXAMINED_AT_ONCE = 64;

const manifest: CapabilityManifest = {
  name: "fs_list",
  version: "1.1.0",
  description:
    "Lists the names in one folder, sorted, with the type and size of each; with `recursive` also what folders below it hold, as far as policy permits it there. Links are named, not followed.",
  input: {
    type: "object",
    additionalProperties: false,
    required: ["path"],
    properties: {
      path: PATH_ARGUMENT,
      recursive: { type: "boolean", description: "Whether folders below are listed, too. Default: false." },
    },
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
            name: { type: "string", description: "From the listed folder." },
            type: { enum: ["file", "directory", "link", "other"] },
            bytes: { type: "integer", minimum: 0, description: "Size of a file; 0 for all else." },
          },
        },
      },
      truncated: { type: "boolean", description: "There is more than is listed." },
    },
  },
  arguments: [{ pointer: "/path", kind: "path", access: "list", recursive: "/recursive" }],
  effect: "read",
  idempotent: true,
  limits: { timeout_ms: LIMITS.timeoutCeilingMs, output_bytes: LIMITS.outputCeilingBytes },
};

export const fsList: Capability = { manifest, isolation: "host", execute };

type Entry = { name: string; type: WalkEntry["type"]; bytes: number };

async function execute(call: CapabilityCall): Promise<CapabilityOutcome> {
  return await hostOutcome(call.signal, () => list(call));
}

async function list(call: CapabilityCall): Promise<JsonObject> {
  const { args, bound } = call;
  const path = bound.path("/path");
  const { descriptor } = requireType(path, "directory");
  return valueAt(args, "/recursive") === true
    ? await listBelow({ descriptor, path: path.path }, call)
    : await listFolder(descriptor, call);
}

async function listFolder(descriptor: number, call: CapabilityCall): Promise<JsonObject> {
  const names = await namesIn(descriptor, ENTRIES_MAX, call.signal);
  const bounds = new WalkBounds(ENTRIES_MAX);
  bounds.isCut = names.length > ENTRIES_MAX;
  const listing = new Listing(call.limits.outputBytes);
  for (let at = 0; at < Math.min(names.length, ENTRIES_MAX); at += EXAMINED_AT_ONCE) {
    await nextTurn(call);
    const part = names.slice(at, Math.min(at + EXAMINED_AT_ONCE, ENTRIES_MAX));
    const examined = await Promise.all(part.map((name) => examine(`/proc/self/fd/${descriptor}`, name, bounds)));
    for (const entry of examined.filter((found) => found !== null)) {
      if (!listing.add(entry)) return listing.result({ truncated: true });
    }
  }
  return listing.result({ truncated: bounds.isCut || bounds.isBlind });
}

async function listBelow(root: HeldFolder, call: CapabilityCall): Promise<JsonObject> {
  const bounds = new WalkBounds(ENTRIES_MAX);
  const listing = new Listing(call.limits.outputBytes);
  for await (const { name, type, found } of walk(root, call, bounds)) {
    if (!listing.add({ name, type, bytes: type === "file" ? Number(found.size) : 0 }))
      return listing.result({ truncated: true });
  }
  return listing.result({ truncated: bounds.isCut || bounds.isBlind });
}

/** Collects entries up to the bytes that the call may return. */
class Listing {
  readonly #entries: Entry[] = [];
  #bytesLeft: number;

  constructor(bytesMax: number) {
    this.#bytesLeft = Math.min(bytesMax, RESULT_ROOM);
  }

  add(entry: Entry): boolean {
    this.#bytesLeft -= Buffer.byteLength(JSON.stringify(entry)) + 1;
    if (this.#bytesLeft < 0) return false;
    this.#entries.push(entry);
    return true;
  }

  result({ truncated }: { readonly truncated: boolean }): JsonObject {
    return { entries: this.#entries, truncated };
  }
}

/** A name that is not UTF-8 is shown with replacement characters; one that cannot be examined is left out. */
async function examine(folder: string, name: Buffer, bounds: WalkBounds): Promise<Entry | null> {
  try {
    const found = await lstat(Buffer.concat([Buffer.from(`${folder}/`), name]));
    return { name: name.toString("utf8"), type: typeOf(found), bytes: found.isFile() ? found.size : 0 };
  } catch (error) {
    noteLeftOut(error, bounds);
    return null;
  }
}
