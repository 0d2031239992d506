/** The key of a log is replaced: what both keys sign, what a crash leaves, and what the retired key is worth. */
import { FemtoError } from "@femtoclaw/protocol";
import { MemoryKeyring } from "@femtoclaw/testing/in-memory";
import { describe, expect, it, vi } from "vitest";
import { signingKeys } from "../src/index.ts";
import { checkpointName, rotationName } from "../src/records/object-name.ts";
import { noteSigner, signNote } from "../src/tree/signed-note.ts";
import { corrupt, fill } from "./journal-fixture.ts";
import { chainOf, Machine, openedBy } from "./machine.ts";

describe("a rotation of the key", () => {
  it("is a record, a note that both sign, and the end of the old key", async () => {
    const machine = new Machine();
    const { journal } = await machine.boot();
    const before = await machine.keyring.current();
    await fill(journal, 3);
    const early = await journal.checkpoint();
    const [vkey, same] = await Promise.all([journal.rotateKey(), journal.rotateKey()]);
    expect(same).toBe(vkey);
    expect(await machine.keyring.current()).not.toBe(before);
    expect(machine.disk.objects.has(rotationName(4))).toBe(true);
    const both = openedBy(machine, (await journal.latestCheckpoint()) ?? "");
    expect([both.size, both.signers.length]).toEqual([5, 2]);
    await fill(journal, 2);
    const late = openedBy(machine, await journal.checkpoint());
    expect(late.signers).toEqual([vkey]);
    expect(openedBy(machine, early).signers).not.toContain(vkey);
    await journal.close();
    const again = await machine.boot();
    expect(openedBy(machine, await again.journal.checkpoint()).signers).toEqual([vkey]);
  });

  it("needs no key once the journal is closed", async () => {
    const machine = new Machine();
    const { journal } = await machine.boot();
    await journal.close();
    await expect(journal.rotateKey()).rejects.toMatchObject({ code: "FEMTO_JOURNAL_CLOSED" });
    expect(await machine.keyring.next()).toBeNull();
  });

  it("is not finished with a key that the log never had in the place of the retired one", async () => {
    const machine = new Machine();
    const { journal } = await machine.boot();
    await journal.rotateKey();
    await journal.close();
    const chain = chainOf(machine);
    const [next, stranger] = [await machine.keyring.current(), await new MemoryKeyring().prepare()];
    const keyring = { current: async () => stranger, next: async () => next };
    await expect(signingKeys(keyring, chain)).rejects.toMatchObject({ code: "FEMTO_KEY_MISMATCH" });
  });

  it("twice makes a chain of three keys", async () => {
    const machine = new Machine();
    const { journal } = await machine.boot();
    await journal.rotateKey();
    await journal.rotateKey();
    await journal.close();
    await (await machine.boot()).journal.close();
    expect(chainOf(machine).keys.map(({ fromSize, retiredAtSize }) => [fromSize, retiredAtSize])).toEqual([
      [1, 2],
      [2, 3],
      [3, null],
    ]);
  });

  it("leaves a retired key nothing to sign", async () => {
    const machine = new Machine();
    const { journal } = await machine.boot();
    const old = await machine.keyring.current();
    if (old === null) throw new Error("there is no key");
    await journal.rotateKey();
    await fill(journal, 1);
    const text = `${(await journal.checkpoint()).split("\n\n")[0]}\n`;
    const forged = signNote(text, [noteSigner(journal.origin, old)]);
    expect(chainOf(machine).openCheckpoint(forged)).toContain("signed by a key that is not in force there");
    machine.disk.objects.set(checkpointName(journal.size), Buffer.from(forged));
    await journal.close();
    await expect(machine.boot()).rejects.toMatchObject(corrupt("not in force"));
  });

  it.each(["install", "tidying"])("whose %s failed is finished before another begins", async (step) => {
    const machine = new Machine();
    const { journal, store } = await machine.boot();
    const install = machine.keyring.install.bind(machine.keyring);
    vi.spyOn(machine.keyring, "install").mockImplementationOnce(async () => {
      if (step === "tidying") await install();
      throw new FemtoError("FEMTO_JOURNAL_WRITE_FAILED", "the disk is full");
    });
    await expect(journal.rotateKey()).rejects.toMatchObject({ code: "FEMTO_JOURNAL_WRITE_FAILED" });
    const real = store.append.bind(store);
    vi.spyOn(store, "append").mockImplementation(async (group) => {
      if (group.records.length > 0) throw new FemtoError("FEMTO_JOURNAL_WRITE_FAILED", "the machine is off");
      await real(group);
    });
    await expect(journal.rotateKey()).rejects.toMatchObject({ code: "FEMTO_JOURNAL_WRITE_FAILED" });
    await journal.close();

    const again = await machine.boot();
    expect(openedBy(machine, await again.journal.checkpoint()).signers).toContain(chainOf(machine).current);
    await again.journal.rotateKey();
    expect(chainOf(machine).keys).toHaveLength(3);
    expect(openedBy(machine, await again.journal.checkpoint()).signers).toContain(chainOf(machine).current);
    await again.journal.close();
  });

  it.each(["prepare", "append", "checkpoint", "install"])("is finished or undone after a crash at %s", async (step) => {
    const machine = new Machine();
    const { journal, store } = await machine.boot();
    await fill(journal, 2);
    const before = await machine.keyring.current();
    const crash = (): never => {
      throw new FemtoError("FEMTO_JOURNAL_WRITE_FAILED", "the machine is off");
    };
    const keyring = vi.spyOn(machine.keyring, "install");
    if (step === "prepare") vi.spyOn(store, "append").mockImplementation(crash);
    if (step === "append") {
      const real = store.append.bind(store);
      vi.spyOn(store, "append").mockImplementation(async (group) =>
        group.records.length > 0 ? await real(group) : crash(),
      );
    }
    if (step === "checkpoint") keyring.mockImplementation(crash);
    if (step === "install") await journal.rotateKey();
    else await expect(journal.rotateKey()).rejects.toMatchObject({ code: "FEMTO_JOURNAL_WRITE_FAILED" });
    await journal.close();
    keyring.mockRestore();

    const again = await machine.boot();
    const recorded = chainOf(machine).keys.length === 2;
    expect(recorded).toBe(step !== "prepare");
    expect((await machine.keyring.current()) === before).toBe(!recorded);
    expect(await machine.keyring.next()).toBeNull();
    await fill(again.journal, 1);
    expect(openedBy(machine, await again.journal.checkpoint()).signers).toEqual([chainOf(machine).current]);
    if (recorded) expect(machine.signed.some((size) => size > 3)).toBe(true);
    await again.journal.close();
  });
});
