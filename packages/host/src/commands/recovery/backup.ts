/** `backup` and `restore`: write the state directory into one file, and restore it from there. */
import { resolve } from "node:path";
import { copyForVerification, lockClaim, openStateDirectory, parseCheckpoint, StoreReader } from "@femtoclaw/journal";
import type { RememberedLog } from "@femtoclaw/journal/known-log";
import { EXIT, printable } from "@femtoclaw/protocol";
import { freePlace } from "@femtoclaw/runtime/epochs";
import { type MadeBackup, makeBackup } from "../../backup/make-backup.ts";
import { heldInBackup, type RestoredState, restoreBackup } from "../../backup/restore-backup.ts";
import type { LoadedConfiguration } from "../../configuration/load-configuration.ts";
import { refuseReachedPlace } from "../../configuration/reached-by-calls.ts";
import { exportAs } from "../../log/log-access.ts";
import { countText } from "../../terminal/count-text.ts";
import { unresolvedText } from "../../terminal/open-ends-text.ts";
import { during } from "../../terminal/progress.ts";
import { fileText } from "../audit/audit.ts";
import type { CommandContext } from "../command-context.ts";
import { hostAnswers } from "../host/host.ts";
import { presentAuthority } from "../unreached-place.ts";
import { meetBegun } from "./begun-log.ts";

export interface BackupFlags {
  readonly out: string;
  readonly keys?: boolean;
}

export interface RestoreFlags {
  readonly keys?: string;
  readonly project?: string;
  readonly key?: string;
}

export async function backup(context: CommandContext, flags: BackupFlags): Promise<number> {
  const { output, cwd } = context;
  const loaded = context.load();
  const isRunning = await hostAnswers(context, loaded);
  const made = await makeBackup({
    loaded,
    out: resolve(cwd, flags.out),
    withKeys: flags.keys ?? false,
    known: await context.logMemory(loaded).remembered(),
    exportLog: (folder) => (isRunning ? exportOfRunning(context, loaded, folder) : exportOfStopped(loaded, folder)),
    during: during(output),
    say: (line) => output.talk(line),
  });
  sayBackup(context, made);
  return made.unsigned === 0 ? EXIT.ok : EXIT.incomplete;
}

/** The host signs all records that it has, and writes the export. */
async function exportOfRunning(
  context: CommandContext,
  loaded: LoadedConfiguration,
  folder: string,
): Promise<{ readonly unsigned: number }> {
  await using operator = await context.operator(loaded);
  await operator.exportLog({ format: "tiles", out: folder, values: true });
  return { unsigned: 0 };
}

/** Reads a copy, so that a backup changes nothing. No host can start while the copy is made. */
async function exportOfStopped(
  { resolved }: LoadedConfiguration,
  folder: string,
): Promise<{ readonly unsigned: number }> {
  const { root, journal } = await openStateDirectory(resolved.stateDirectory, { create: false });
  await using copy = await copyUnclaimed(root, journal);
  const { store, size } = await copy.open({ tableBytesMax: Number.POSITIVE_INFINITY });
  try {
    const exported = await exportAs(new StoreReader(store, size), { format: "tiles", out: folder, values: true });
    return { unsigned: size - exported.size };
  } finally {
    await store.close();
  }
}

async function copyUnclaimed(root: string, journal: string): ReturnType<typeof copyForVerification> {
  using _ = lockClaim(root);
  return await copyForVerification(journal);
}

function sayBackup({ output }: CommandContext, made: MadeBackup): void {
  const { file, keys, bytes, manifest, unsigned } = made;
  const { log, deployment } = manifest;
  if (output.json) {
    output.value({ file, keys, bytes, log, deployment, unsigned });
    return;
  }
  output.prose(`wrote ${printable(file, 4_096)}: ${log.size} records of ${log.origin}, ${bytes} bytes, read back`);
  if (keys !== null) output.prose(`wrote ${printable(keys, 4_096)}: keys and secrets in clear; keep it apart`);
  if (unsigned > 0) {
    output.prose(`not in it: ${countText(unsigned, "record")} behind the last checkpoint, after a crash`);
    output.talk("fix: start the host once, which signs them, then make another backup");
  }
  output.talk(`root ${log.root}; keep it with the public key, ${log.first_key}`);
}

export async function restore(context: CommandContext, file: string, flags: RestoreFlags): Promise<number> {
  const { output, cwd, options } = context;
  const state = options.state === undefined ? context.load().resolved.stateDirectory : resolve(cwd, options.state);
  const place = await freePlace(state, "FEMTO_RESTORE_REFUSED");
  const authority = presentAuthority(context);
  // INVARIANT: I8: the restored directory gets keys and secrets, so it must be out of reach of calls, which may be
  // running under the present configuration.
  if (authority !== null) refuseReachedPlace(place, authority, "FEMTO_RESTORE_REFUSED");
  const known = await context.logMemoryAt(state).remembered();
  const path = (given: string | undefined): string | null => (given === undefined ? null : resolve(cwd, given));
  const restored = await restoreBackup({
    file: resolve(cwd, file),
    state,
    keys: path(flags.keys),
    project: path(flags.project),
    pinned: flags.key === undefined ? undefined : fileText(flags.key),
    known,
    during: during(output),
    say: (line) => output.talk(line),
  });
  const lost = await remember(context, restored, known);
  sayRestored(context, restored, lost);
  return EXIT.ok;
}

/** The log as it was last seen here, if the backup does not contain all of it; null otherwise. */
type Lost = { readonly seen: RememberedLog } | null;

/**
 * INVARIANT: I7: what was seen of the log is replaced only by a log that continues from all of it. Otherwise it stays:
 * the user is told, and clients refuse the restored log.
 */
async function remember(context: CommandContext, restored: RestoredState, known: RememberedLog | null): Promise<Lost> {
  const { directory, manifest, vkey, oldLog } = restored;
  const memory = context.logMemoryAt(directory);
  const seen = known === null ? null : parseCheckpoint(known.checkpoint.slice(0, known.checkpoint.indexOf("\n\n") + 1));
  if (known !== null) {
    const isHeld = seen !== null && known.firstKey === manifest.log.first_key && (await heldInBackup(oldLog, seen));
    if (!isHeld) return { seen: known };
    await memory.announce({ before: known.firstKey, next: vkey, oldPlace: oldLog, beginsWith: async () => true });
  }
  await meetBegun(context, directory);
  return null;
}

function sayRestored({ output }: CommandContext, restored: RestoredState, lost: Lost): void {
  const { directory, project, origin, vkey, parent, unresolved, withdrawn, manifest } = restored;
  const seen = lost === null ? null : { origin: lost.seen.origin, size: lost.seen.size, seen_at: lost.seen.seenAt };
  if (output.json) {
    const { at, version, deployment } = manifest;
    const made = { at, version, deployment };
    output.value({ state: directory, project, origin, vkey, parent, unresolved, withdrawn, seen, backup: made });
    return;
  }
  const shown = printable(directory, 4_096);
  output.prose(`restored ${shown}: log ${origin} continues ${parent.size} records of ${parent.origin}`);
  output.prose(`not in it: what was recorded after the backup was made, at ${printable(manifest.at)}`);
  if (withdrawn > 0) {
    output.prose(`withdrawn, to be proposed again: ${countText(withdrawn, "call")} that waited for an operator`);
  }
  if (unresolved > 0) output.prose(unresolvedText(unresolved));
  if (seen !== null) {
    output.prose(`clients have seen ${seen.size} records of ${seen.origin} here, and will not take this log for it`);
    output.talk("fix: clients refuse this log until `femtoclaw audit forget` says that the loss is known");
  }
  if (project !== null) output.prose(`wrote ${printable(project, 4_096)}; read it, then run \`femtoclaw trust\` there`);
  output.talk(`it is signed by a key of its own; keep its public part elsewhere: ${vkey}`);
  output.talk(`start it with: \`femtoclaw --state ${shown} up --detach\``);
}
