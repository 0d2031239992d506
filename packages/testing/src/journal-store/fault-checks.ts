/** Storage that fails: what was acknowledged stays, and a write that failed leaves all of its group or nothing. */
import assert from "node:assert/strict";
import {
  type Check,
  collect,
  group,
  named,
  numbered,
  type Run,
  refuses,
  type StorageFault,
  text,
} from "./store-run.ts";

export const FAULTS: Readonly<Record<StorageFault, { readonly title: string; readonly check: Check }>> = {
  EIO: {
    title: "refuses everything after a write that failed, and holds nothing of it when it is opened again",
    check: (run) => failsWhole(run, "EIO", "FEMTO_JOURNAL_WRITE_FAILED"),
  },
  ENOSPC: {
    title: "tells a full disk from other faults, and goes on when it is opened again and has room",
    check: (run) => failsWhole(run, "ENOSPC", "FEMTO_DISK_FULL"),
  },
  unanswered: {
    title: "holds the whole group, or nothing of it, when a write failed that had become durable",
    check: async ({ store, reopen, inject }) => {
      await store.append(group(0, [text("0")]));
      inject("unanswered");
      await refuses(store.append(group(1, [text("1"), text("2")], [{ execution: "a", seq: 1 }], [named("a")])));
      await refuses(store.append(group(3, [text("3")])));
      const again = await reopen();
      const expected = again.size === 1 ? { seqs: [], objects: [] } : { seqs: [1], objects: ["a"] };
      assert.ok([1, 3].includes(again.size));
      assert.deepEqual([...(await again.store.locate("a"))], expected.seqs);
      assert.deepEqual(await again.store.objects(""), expected.objects);
    },
  },
  lock: {
    title: "is not opened again while somebody else has taken it over",
    check: async ({ store, reopen, inject }) => {
      await store.append(group(0, [text("0")]));
      const giveBack = inject("lock");
      await refuses(store.append(group(1, [text("1")])));
      await assert.rejects(reopen(), { code: "FEMTO_JOURNAL_LOCKED" });
      giveBack();
      assert.equal((await reopen()).size, 1);
    },
  },
  slow: {
    title: "resolves no append before the disk has it",
    check: async ({ store, inject }) => {
      const finish = inject("slow");
      let isDurable = false;
      const appended = store.append(group(0, [text("0")])).then(() => {
        isDurable = true;
      });
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(isDurable, false);
      finish();
      await appended;
      assert.deepEqual(await numbered(store.read(0, 1)), [0]);
    },
  },
};

/** A group of a megabyte, so that a real disk that is full has no corner left for it. */
async function failsWhole({ store, reopen, inject }: Run, fault: StorageFault, code: string): Promise<void> {
  await store.append(group(0, [text("0")]));
  const repair = inject(fault);
  const lost = group(1, [Buffer.alloc(1 << 20, "1")], [{ execution: "a", seq: 1 }], [named("a")]);
  await assert.rejects(store.append(lost), { code });
  await refuses(store.append(group(1, [text("1")])));
  await refuses(collect(store.read(0, 1)));
  await refuses(store.object("a"));
  repair();
  const again = await reopen();
  assert.equal(again.size, 1);
  assert.deepEqual([...(await again.store.locate("a"))], []);
  assert.deepEqual(await again.store.objects(""), []);
  await again.store.append(group(1, [text("1")]));
  assert.deepEqual(await numbered(again.store.read(0, 2)), [0, 1]);
}
