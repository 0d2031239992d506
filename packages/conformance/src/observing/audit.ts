/** What the audit commands say of the journal of a stopped host. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Answered, Life, SeenRecord } from "../observations.ts";
import type { Place } from "../subject.ts";

export async function recordsOf(place: Place): Promise<{ readonly records: SeenRecord[]; readonly file: string }> {
  mkdirSync(join(place.root, "exported"), { recursive: true });
  const file = join(place.root, "exported", "records.jsonl");
  await place.run(["audit", "export", "--format", "jsonl", "--out", file]);
  const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
  return { records: lines.map((line) => JSON.parse(line) as SeenRecord), file };
}

export async function auditOf(place: Place, replies: readonly Answered[]): Promise<Life["audit"]> {
  const { exit, verdict, pinned, keys } = await place.json<{
    verdict: string;
    pinned: string;
    keys: { vkey: string }[];
  }>(["audit", "verify"]);
  const key = place.write("proof/key.vkey", `${keys[0]?.vkey ?? ""}\n`);
  const files = replies.map(({ seq }) => ({ seq, proof: join(place.root, "proof", `${seq}.tlog-proof`) }));
  const proofs: (number | null)[] = [];
  const check = async (proof: string, record: string): Promise<number | null> =>
    (await place.run(["audit", "check-proof", proof, "--record", record, "--key", key])).exit;
  for (const { seq, proof } of files) {
    await place.run(["audit", "prove", String(seq), "--out", proof]);
    proofs.push(await check(proof, `${proof}.record`));
  }
  const [proved] = files;
  const forged = place.write("proof/forged", "");
  if (proved !== undefined) {
    const record = readFileSync(`${proved.proof}.record`, "utf8");
    writeFileSync(forged, record.replace('"seq":', '"seq": '));
  }
  const forgedProof = proved === undefined ? null : await check(proved.proof, forged);
  return { exit, verdict, pinned, proofs, forgedProof };
}

export async function replayOf(place: Place): Promise<Life["replay"]> {
  const here = await place.run(["--json", "replay"]);
  const elsewhere = await place.run(["--json", "replay"], {
    environment: { TZ: "Pacific/Kiritimati", LC_ALL: "tr_TR.UTF-8", LANG: "tr_TR.UTF-8" },
  });
  const { snapshots_equal } = JSON.parse(here.stdout) as { snapshots_equal?: number };
  const { exit: recomputed } = await place.run(["--json", "replay", "--recompute"]);
  const sameElsewhere = here.exit === 0 && here.stdout === elsewhere.stdout;
  return { exit: here.exit, snapshotsEqual: snapshots_equal ?? 0, recomputed, sameElsewhere };
}
