/** Opens the journal of a stopped host for reading. Creates nothing: a missing directory is an error. */
import { LeveldbStore, type LogReader, openStateDirectory, StoreReader } from "@femtoclaw/journal";

export interface OpenJournal extends AsyncDisposable {
  readonly reader: LogReader;
}

export async function readJournal(stateDirectory: string): Promise<OpenJournal> {
  const { journal } = await openStateDirectory(stateDirectory, { create: false });
  const store = new LeveldbStore(journal);
  const { size } = await store.open();
  return { reader: new StoreReader(store, size), [Symbol.asyncDispose]: () => store.close() };
}
