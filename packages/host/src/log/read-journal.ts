/** Opens the journal of a stopped host for reading. Creates nothing: a missing directory is an error. */
import { access, constants } from "node:fs/promises";
import {
  copyForVerification,
  type JournalStore,
  LeveldbStore,
  type LogReader,
  openStateDirectory,
  StoreReader,
} from "@femtoclaw/journal";
import { systemErrorCode } from "@femtoclaw/protocol";

export interface OpenJournal extends AsyncDisposable {
  readonly reader: LogReader;
}

export async function readJournal(stateDirectory: string): Promise<OpenJournal> {
  const { journal } = await openStateDirectory(stateDirectory, { create: false });
  if (await isReadOnly(journal)) return await readCopy(journal);
  const store = new LeveldbStore(journal);
  const { size } = await store.open();
  return opened(store, size, () => store.close());
}

/** LevelDB writes to what it opens, which a read-only file system does not let it do. */
async function readCopy(journal: string): Promise<OpenJournal> {
  await using made = new AsyncDisposableStack();
  const copy = made.use(await copyForVerification(journal));
  const { store, size } = await copy.open();
  made.defer(() => store.close());
  const kept = made.move();
  return opened(store, size, () => kept.disposeAsync());
}

const opened = (store: JournalStore, size: number, close: () => Promise<void>): OpenJournal => ({
  reader: new StoreReader(store, size),
  [Symbol.asyncDispose]: close,
});

async function isReadOnly(folder: string): Promise<boolean> {
  try {
    await access(folder, constants.W_OK);
    return false;
  } catch (error) {
    return systemErrorCode(error) === "EROFS";
  }
}
