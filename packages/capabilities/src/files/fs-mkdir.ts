/** `fs_mkdir`: makes a folder, and its missing parents if asked to. */
import { closeSync, constants, fstatSync, fsyncSync, openSync, readlinkSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { type CapabilityManifest, LIMITS, systemErrorCode } from "@femtoclaw/protocol";
import type { Capability, CapabilityCall, CapabilityOutcome } from "../capability.ts";
import { valueAt } from "../facts/arguments.ts";
import type { BoundPath } from "../facts/bound-arguments.ts";
import { type Change, changeOutcome } from "../outcome.ts";
import { changed, exists, leafOf, requirePlace, syncFolder } from "./held-place.ts";
import { versionOf } from "./kept.ts";
import { NO_LINKS_ARGUMENT, PATH_ARGUMENT, requireNoLinks } from "./path-argument.ts";

const manifest: CapabilityManifest = {
  name: "fs_mkdir",
  version: "1.1.0",
  description:
    "Makes a folder. With `parents` it makes the missing folders on the way, too, and a folder that exists is no failure.",
  input: {
    type: "object",
    additionalProperties: false,
    required: ["path"],
    properties: {
      path: PATH_ARGUMENT,
      parents: { type: "boolean", description: "Whether folders on the way are made, too. Default: false." },
      no_links: NO_LINKS_ARGUMENT,
    },
  },
  output: {
    type: "object",
    additionalProperties: false,
    required: ["created"],
    properties: { created: { type: "integer", minimum: 0, description: "Folders that were made." } },
  },
  arguments: [{ pointer: "/path", kind: "path", access: "create", parents: "/parents" }],
  effect: "write",
  idempotent: false,
  limits: { timeout_ms: LIMITS.timeoutCeilingMs, output_bytes: LIMITS.outputCeilingBytes },
};

export const fsMkdir: Capability = { manifest, isolation: "host", keeps: "names", execute };

async function execute(call: CapabilityCall): Promise<CapabilityOutcome> {
  return await changeOutcome(call.signal, () => make(call));
}

async function make(call: CapabilityCall): Promise<Change> {
  const { args, bound, signal } = call;
  requireNoLinks(call, ["/path"]);
  const path = bound.path("/path");
  const withParents = valueAt(args, "/parents") === true;
  if (path.type === "directory" && withParents) return { result: { created: 0 }, left: null };
  if (path.target !== null) throw exists(path);
  requirePlace(path);
  signal.throwIfAborted();
  using held = new DisposableStack();
  let folder = await makeFolder(path, leafOf(path), path.path, held);
  await syncFolder(path);
  let created = 1;
  let at = path.path;
  for (const name of path.further) {
    signal.throwIfAborted();
    at = `${at}/${name}`;
    const above = folder;
    folder = await makeFolder(path, `/proc/self/fd/${above}/${name}`, at, held);
    fsyncSync(above);
    created += 1;
  }
  const found = fstatSync(folder, { bigint: true });
  // Folders made on the way may be in use by now, so only the creation of a single folder can be undone.
  return { result: { created }, left: created === 1 ? { version: versionOf(found) } : null };
}

/** INVARIANT: each further folder is made within the one just made, at the place that was decided on. */
async function makeFolder(path: BoundPath, leaf: string, expected: string, held: DisposableStack): Promise<number> {
  try {
    await mkdir(leaf);
  } catch (error) {
    throw systemErrorCode(error) === "EEXIST" ? exists(path) : error;
  }
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;
  const folder = held.adopt(openSync(leaf, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), closeSync);
  if (readlinkSync(`/proc/self/fd/${folder}`) !== expected) throw changed(path);
  return folder;
}
