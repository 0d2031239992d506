/**
 * Puts a whole file in its place. Each step goes through the held folder, never through a path. The content is written
 * and made durable under a temporary name, and takes its place in one step.
 */
import { type BigIntStats, constants, fstatSync } from "node:fs";
import { type FileHandle, open, rename, stat, unlink } from "node:fs/promises";
import { systemErrorCode } from "@femtoclaw/protocol";
import type { CapabilityCall } from "../capability.ts";
import type { BoundPath, HeldFile } from "../facts/bound-arguments.ts";
import { changed, exists, leafOf, linkNew, openFolder, requireLeaf, requirePlace } from "./held-place.ts";
import { stateOf } from "./kept.ts";
import { requireType } from "./path-argument.ts";

/** The call that puts a file in its place. */
type PlacingCall = Pick<CapabilityCall, "id" | "signal">;

/**
 * Name of the file that a call writes before it takes its place, in the same folder. A host that is killed meanwhile leaves
 * it behind, and the next one knows it by the identifier of the execution.
 */
export function temporaryName(execution: string): string {
  return `.femtoclaw-${execution}.tmp`;
}

/** Never overwrites: if the name appears meanwhile, the last step fails. Returns the status of the new file. */
export async function createFile(path: BoundPath, content: Buffer, call: PlacingCall): Promise<BigIntStats> {
  if (path.target !== null) throw exists(path);
  return await place(path, call, {
    mode: 0o666,
    prepare: (file) => file.writeFile(content),
    commit: async (temporary, leaf) => {
      await linkNew(temporary, leaf, path);
      // The file is in its place by now, also where somebody else has taken the temporary name away.
      await unlink(temporary).catch((error: unknown) => {
        if (systemErrorCode(error) !== "ENOENT") throw error;
      });
    },
  });
}

export interface Replaced {
  /** The status of the new file. */
  readonly placed: BigIntStats;
  /** The state of the replaced file in the last moment. */
  readonly state: string;
}

/**
 * Replaces the very file that was decided on, and keeps its owner and mode. If `state` is given, the file is replaced
 * only while it is in that state.
 */
export async function replaceFile(
  path: BoundPath,
  content: Buffer | AsyncIterable<Buffer>,
  call: PlacingCall,
  state?: string,
): Promise<Replaced> {
  const target = requireType(path, "file");
  let last = "";
  const placed = await place(path, call, {
    // INVARIANT: nobody can open the file before it has the owner and mode of the file whose content it gets.
    mode: 0o600,
    prepare: async (file) => {
      await keepOwnerAndMode(file, target);
      await file.writeFile(content);
    },
    commit: async (temporary, leaf) => {
      await requireLeaf(path, target);
      last = stateOf(fstatSync(target.descriptor, { bigint: true }));
      if (state !== undefined && last !== state) throw changed(path);
      await rename(temporary, leaf);
    },
  });
  return { placed, state: last };
}

interface Steps {
  /** Mode with which the new file is created, less the umask. */
  readonly mode: number;
  prepare(file: FileHandle): Promise<void>;
  commit(temporary: string, leaf: string): Promise<void>;
}

async function place(path: BoundPath, call: PlacingCall, { mode, prepare, commit }: Steps): Promise<BigIntStats> {
  const leaf = leafOf(path);
  const temporary = leafOf(path, temporaryName(call.id));
  let placed: BigIntStats;
  await using folder = await openFolder(path);
  // INVARIANT: nobody else has prepared the new file: it is neither a link nor open elsewhere.
  const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
  const opened = await open(temporary, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, mode);
  try {
    await using file = opened;
    await prepare(file);
    await file.sync();
    placed = await file.stat({ bigint: true });
    call.signal.throwIfAborted();
    requirePlace(path);
    await commit(temporary, leaf);
  } catch (error) {
    // The first error says why the call failed. If the file stays, the next start of the host finds it.
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  await folder.sync();
  return placed;
}

/** The owner comes first, because changing it clears mode bits. */
async function keepOwnerAndMode(file: FileHandle, { descriptor }: HeldFile): Promise<void> {
  const [was, is] = await Promise.all([stat(`/proc/self/fd/${descriptor}`), file.stat()]);
  if (was.uid !== is.uid || was.gid !== is.gid) await file.chown(was.uid, was.gid);
  await file.chmod(was.mode & 0o777);
}
