/**
 * A log for a replay, verified first: an export, a stopped state directory or a copy of one, or the running host's log.
 */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  copyForVerification,
  type LogSource,
  type LogVerdict,
  type ReplayReader,
  StoreReader,
  StoreSource,
  TilesReader,
  TilesSource,
  verifyLog,
} from "@femtoclaw/journal";
import type { CommandContext } from "../commands/command-context.ts";
import { hostAnswers } from "../commands/host/host.ts";
import { exportOfHost } from "./host-export.ts";

export interface VerifiedLog extends AsyncDisposable {
  readonly verdict: LogVerdict;
  /** Call this only after looking at the verdict. */
  reader(): Promise<ReplayReader>;
  /** The named key, or else the remembered one; null if neither is known. */
  readonly pinned: string | null;
}

/** Without a path this is the configured log. `key` is the text of a public key that replaces the remembered one. */
export async function openVerifiedLog(
  context: CommandContext,
  path: string | undefined,
  key: string | undefined,
): Promise<VerifiedLog> {
  const directory = path === undefined ? context.load().resolved.stateDirectory : resolve(context.cwd, path);
  const remembered = key === undefined ? await context.logMemoryAt(directory).remembered() : null;
  const pinned = key ?? remembered?.firstKey ?? null;
  const checkpoint = remembered?.checkpoint ?? null;
  await using stack = new AsyncDisposableStack();
  const { reader, source } = await openLog(context, path, directory, stack);
  const verdict = await verifyLog({
    source,
    ...(pinned === null ? {} : { pinned }),
    ...(checkpoint === null ? {} : { checkpoint }),
  });
  const owned = stack.move();
  return {
    reader: async () => {
      const opened = await reader();
      return opened instanceof TilesReader ? owned.use(opened) : opened;
    },
    verdict,
    pinned,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

type OpenedLog = Pick<VerifiedLog, "reader"> & { readonly source: LogSource };

async function openLog(
  context: CommandContext,
  path: string | undefined,
  directory: string,
  stack: AsyncDisposableStack,
): Promise<OpenedLog> {
  if (path === undefined && (await hostAnswers(context))) {
    return exportedLog(stack.use(await exportOfHost(context)).folder);
  }
  if (existsSync(join(directory, "checkpoint"))) return exportedLog(directory);
  const journal = join(directory, "journal");
  const copy = stack.use(await copyForVerification(existsSync(journal) ? journal : directory));
  const { store, size } = await copy.open({ tableBytesMax: Number.POSITIVE_INFINITY });
  stack.defer(() => store.close());
  return { reader: async () => new StoreReader(store, size), source: new StoreSource(store, size) };
}

function exportedLog(folder: string): OpenedLog {
  return { reader: () => TilesReader.open(folder), source: new TilesSource(folder) };
}
