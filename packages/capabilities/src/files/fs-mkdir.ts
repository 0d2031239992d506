/** `fs_mkdir`: makes a folder, and its missing parents if asked to. */
import { closeSync, constants, fstatSync, fsyncSync, openSync, readlinkSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { type CapabilityManifest, FemtoError, LIMITS, systemErrorCode } from "@femtoclaw/protocol";
import type { Capability, CapabilityCall, CapabilityOutcome } from "../capability.ts";
import { valueAt } from "../facts/arguments.ts";
import type { BoundPath, HeldFolder } from "../facts/bound-arguments.ts";
import { type Change, changeOutcome } from "../outcome.ts";
import { changed, exists, leafOf, openFolder, requirePlace } from "./held-place.ts";
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
  await using parent = await openFolder(path);
  requirePlace(path);
  signal.throwIfAborted();
  using made = new MadeFolders(path);
  let folder = await made.add(leafOf(path), path.path);
  await parent.sync();
  // From here on the call is not cancelled any more, because it has taken effect.
  for (const name of path.further) folder = await made.addWithin(folder, name);
  const found = fstatSync(folder.descriptor, { bigint: true });
  // Folders made on the way may be in use by now, so only the creation of a single folder can be undone.
  return { result: { created: made.count }, left: made.count === 1 ? { version: versionOf(found) } : null };
}

/** The folders that one call makes, each held open until the next one is made within it. */
class MadeFolders implements Disposable {
  count = 0;
  readonly #path: BoundPath;
  readonly #held = new DisposableStack();

  constructor(path: BoundPath) {
    this.#path = path;
  }

  async addWithin(above: HeldFolder, name: string): Promise<HeldFolder> {
    const folder = await this.add(`/proc/self/fd/${above.descriptor}/${name}`, `${above.path}/${name}`);
    fsyncSync(above.descriptor);
    return folder;
  }

  /** INVARIANT: each further folder is made within the one just made, at the place that was decided on. */
  async add(leaf: string, path: string): Promise<HeldFolder> {
    try {
      await mkdir(leaf);
      this.count += 1;
      const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;
      const descriptor = this.#held.adopt(openSync(leaf, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), closeSync);
      if (readlinkSync(`/proc/self/fd/${descriptor}`) !== path) throw changed({ path });
      return { descriptor, path };
    } catch (error) {
      throw this.#failure(systemErrorCode(error) === "EEXIST" ? exists({ path }) : error);
    }
  }

  [Symbol.dispose](): void {
    this.#held.dispose();
  }

  /** Folders that were made stay, because somebody may use them by now, so the failure says so. */
  #failure(error: unknown): unknown {
    if (this.count === 0) return error;
    const made = `${this.count} of ${this.#path.further.length + 1} folders were made before`;
    if (error instanceof FemtoError) return new FemtoError(error.code, `${error.message}; ${made}`, { fix: error.fix });
    const code = systemErrorCode(error);
    if (code === undefined) return error;
    return new FemtoError("FEMTO_OS_REFUSED", `the operating system refused with ${code}; ${made}`);
  }
}
