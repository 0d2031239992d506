/** Hashes of a stored tree, read while the storage fails for a moment. */
import { ForwardingStore, Journal, StoreReader } from "@femtoclaw/journal";
import { FemtoError } from "@femtoclaw/protocol";
import { MemoryDisk, MemoryKeyring, MemoryStore } from "@femtoclaw/testing/in-memory";
import { expect, it } from "vitest";
import { countingClock, MACHINES, message } from "../journal-fixture.ts";

/** Fails to read objects as often as it is told to. */
class FlakyStore extends ForwardingStore {
  failures = 0;

  override object(name: string): Promise<Uint8Array | null> {
    this.failures -= 1;
    if (this.failures < 0) return super.object(name);
    return Promise.reject(new FemtoError("FEMTO_OS_REFUSED", "no descriptor is left"));
  }
}

it("are read again once the storage can be read again", async () => {
  const disk = new MemoryDisk();
  const clock = countingClock();
  const journal = await Journal.open({
    store: new MemoryStore(disk),
    keyring: new MemoryKeyring(),
    boot: "boot-1",
    clock,
    machines: MACHINES,
  });
  await journal.append(message("one"));
  await journal.close();
  const store = new FlakyStore(new MemoryStore(disk));
  const { size } = await store.open();
  const reader = new StoreReader(store, size);
  store.failures = 1;
  await expect(reader.hashes(0, 0, size)).rejects.toMatchObject({ code: "FEMTO_OS_REFUSED" });
  expect(await reader.hashes(0, 0, size)).toHaveLength(size);
});
