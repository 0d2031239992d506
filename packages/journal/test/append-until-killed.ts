/** A process of the crash tests: appends for ever and prints each record once it is acknowledged. */
import { writeSync } from "node:fs";
import { join } from "node:path";
import { FileKeyring, Journal, LeveldbStore, systemClock } from "@femtoclaw/journal";
import { MACHINES } from "./journal-fixture.ts";

const [directory = "", boot = ""] = process.argv.slice(2);
const journal = await Journal.open({
  store: new LeveldbStore(directory),
  keyring: new FileKeyring(join(directory, "..", "keys")),
  boot,
  clock: systemClock(),
  machines: MACHINES,
  projector: { apply: () => undefined, snapshot: () => ({}) },
  snapshotEveryRecords: 50,
});

async function appendForEver(writer: number): Promise<never> {
  for (let count = 0; ; count += 1) {
    const content = `${writer}-${count}-${"x".repeat((count * 7_919) % 20_000)}`;
    const entry = {
      type: "message.recorded",
      session: null,
      execution: `${boot}-${writer}`,
      body: { content },
    } as const;
    const { seq } = await journal.append(entry);
    writeSync(1, `${seq} ${writer}-${count}-\n`);
  }
}

await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(appendForEver));
