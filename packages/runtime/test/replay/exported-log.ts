/** A log of more than a thousand records that real runtimes wrote, as an auditor gets it. */
import { join } from "node:path";
import { exportTiles, TilesReader } from "@femtoclaw/journal";
import { call, capability, Home, misbehaving } from "../runtime-fixture.ts";

export interface ExportedLog {
  readonly home: Home;
  /** Folder of tiles. */
  readonly folder: string;
  /** The same log a little earlier: its checkpoint covers less. */
  readonly earlier: string;
  readonly vkey: string;
  /** Last record that the exported snapshot covers. */
  readonly snapshot: number;
}

const ROUNDS = 90;

export async function exportLog(): Promise<ExportedLog> {
  const home = new Home();
  const failure = { code: "FEMTO_FILE_EXISTS", reason: "r", fix: "F.", sandbox: null };
  const options = {
    snapshotEveryRecords: 290,
    capabilities: [
      capability("quick", ({ args }) => ({ got: args["n"] ?? null })),
      misbehaving("fails", async () => ({ event: "failed", ...failure })),
      // Names that objects inherit are names of capabilities like any other.
      capability("constructor"),
      capability("to_string"),
    ],
  };
  const [folder, earlier] = [join(home.root, "log"), join(home.root, "earlier")];
  for (const out of [earlier, folder]) {
    const runtime = await home.start(options);
    const session = runtime.openSession({ channel: "agent" });
    for (let round = 0; round < ROUNDS; round += 1) {
      const tools = ["quick", "fails", "constructor", "nobody"];
      await Promise.all(tools.map((tool) => session.propose(call(tool, tool === "quick" ? { n: round } : {}))));
    }
    await runtime.switchCapability({ name: "constructor", enabled: out === folder, by: "operator" });
    await runtime.checkpoint();
    await exportTiles(runtime.reader, out);
    await runtime.close();
  }
  const reader = await TilesReader.open(folder);
  return { home, folder, earlier, vkey: await vkeyOf(reader), snapshot: (await reader.snapshots())[0] ?? -1 };
}

async function vkeyOf(reader: TilesReader): Promise<string> {
  for await (const record of reader.read(0, 1)) if (record.type === "log.created") return record.body.vkey;
  throw new Error("the log has no key");
}
