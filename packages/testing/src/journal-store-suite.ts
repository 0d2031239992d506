/**
 * The contract of a journal store, as a suite of tests. An engine that passes can hold a FemtoClaw journal. The suite
 * runs under any test runner that has `describe` and `it`.
 */
import assert from "node:assert/strict";
import type { JournalStore } from "@femtoclaw/journal";
import { DERIVED } from "./journal-store/derived-checks.ts";
import { FAULTS } from "./journal-store/fault-checks.ts";
import { RECORDS, REFUSALS } from "./journal-store/record-checks.ts";
import { REMOVALS } from "./journal-store/removal-checks.ts";
import type { Check, StorageFault } from "./journal-store/store-run.ts";

export type { StorageFault } from "./journal-store/store-run.ts";

/** One storage that outlives the stores that open it. */
export interface StoreFixture {
  /** A store over this storage that is not open yet. */
  store(): JournalStore;
  /** Makes the next append fail; the returned function repairs the storage. Needed if `faults` are named. */
  inject?(fault: StorageFault): () => void;
  dispose(): Promise<void>;
}

export interface JournalStoreSuiteOptions {
  readonly name: string;
  /** Makes an empty storage. */
  readonly create: () => Promise<StoreFixture>;
  /** The faults that can be injected into this storage. */
  readonly faults?: readonly StorageFault[];
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: (name: string, body: () => Promise<void>) => unknown;
}

export function journalStoreSuite(options: JournalStoreSuiteOptions): void {
  const { name, create, faults = [], describe, it } = options;
  describe(`journal store: ${name}`, () => {
    for (const [title, check] of Object.entries({ ...RECORDS, ...REFUSALS, ...DERIVED, ...REMOVALS })) {
      it(title, () => run(create, check));
    }
    for (const fault of faults) it(FAULTS[fault].title, () => run(create, FAULTS[fault].check));
  });
}

async function run(create: () => Promise<StoreFixture>, check: Check): Promise<void> {
  const fixture = await create();
  let store = fixture.store();
  try {
    assert.equal((await store.open()).size, 0);
    await check({
      store,
      reopen: async () => {
        await store.close();
        store = fixture.store();
        const { size } = await store.open();
        return { store, size };
      },
      rival: () => fixture.store(),
      inject: (fault) => {
        assert.ok(fixture.inject !== undefined, "a fixture with faults can inject them");
        return fixture.inject(fault);
      },
    });
  } finally {
    await store.close();
    await fixture.dispose();
  }
}
