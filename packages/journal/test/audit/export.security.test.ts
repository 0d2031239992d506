/** What is handed over to strangers: proofs, folders of tiles, lines of JSON; and what forgers make of them. */
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { entriesPath, partialTiles, tilePath } from "../../src/audit/tiles-layout.ts";
import {
  checkProof,
  exportJsonl,
  exportTiles,
  type Journal,
  type LogVerdict,
  prove,
  TilesSource,
  verifyLog,
} from "../../src/index.ts";
import { encodeBase64 } from "../../src/tree/base64.ts";
import { parseCheckpoint } from "../../src/tree/checkpoint.ts";
import { leafHash } from "../../src/tree/hashing.ts";
import { TileTree } from "../../src/tree/tiles.ts";
import { message } from "../journal-fixture.ts";
import { Machine } from "../machine.ts";

const fill = (journal: Journal, count: number): Promise<unknown> =>
  Promise.all(Array.from({ length: count }, (_, index) => journal.append(message(`m${index}`))));

let root = "";
let machine: Machine;
let journal: Journal;
let vkeys: string[] = [];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "femtoclaw-export-test-"));
  machine = new Machine();
  ({ journal } = await machine.boot());
  await fill(journal, 300);
  await journal.rotateKey();
  await fill(journal, 400);
  await journal.checkpoint();
  await exportTiles(journal, join(root, "tiles"));
  vkeys = (await verified("tiles")).keys.map(({ vkey }) => vkey);
  return () => rm(root, { recursive: true, force: true });
});

const verified = (name: string, known: { pinned?: string; checkpoint?: string } = {}): Promise<LogVerdict> =>
  verifyLog({ source: new TilesSource(join(root, name)), ...known });

async function changed(change: (folder: string) => Promise<unknown>): Promise<LogVerdict> {
  const folder = join(root, "changed");
  await rm(folder, { recursive: true, force: true });
  await exportTiles(journal, folder);
  await change(folder);
  return await verified("changed");
}

describe("a folder of tiles", () => {
  it("is verified without a database, to the last signed record, also from the first key on", async () => {
    expect(await verified("tiles")).toMatchObject({ verdict: "verified", size: 702, signedSize: 702, fault: null });
    expect((await verified("tiles")).root).toBe(machine.root(702));
    for (const pinned of vkeys) expect((await verified("tiles", { pinned })).pinned).toBe("matches");
    expect(vkeys).toHaveLength(2);
    expect(await readdir(join(root, "tiles"))).toEqual(["checkpoint", "rotations", "tile"]);
  });

  it("is never written over, and waits for a checkpoint", async () => {
    const again = exportTiles(journal, join(root, "tiles"));
    await expect(again).rejects.toMatchObject({
      code: "FEMTO_EXPORT_FAILED",
      message: expect.stringContaining("is there already") as string,
    });
    const other = await new Machine().boot();
    await expect(exportTiles(other.journal, join(root, "unsigned"))).rejects.toMatchObject({
      code: "FEMTO_JOURNAL_UNSIGNED",
    });
  });

  it("lacking any file is incomplete and names the record, and with any changed byte it is refused", async () => {
    const missing = await changed((folder) => rm(join(folder, tilePath(0, 1, 256))));
    expect(missing).toMatchObject({ verdict: "incomplete", fault: { seq: 256 } });
    const unbundled = await changed((folder) => rm(join(folder, entriesPath(1, 256))));
    expect(unbundled).toMatchObject({ verdict: "incomplete", size: 256, fault: { seq: 256 } });
    const files = await readdir(join(root, "tiles"), { recursive: true, withFileTypes: true });
    for (const file of files.filter((entry) => entry.isFile())) {
      const path = join(file.parentPath, file.name).slice(join(root, "tiles").length);
      const gone = await changed((folder) => rm(join(folder, path)));
      expect(gone.verdict, `without ${path}`).toBe(path.startsWith("/rotations") ? "tampered" : "incomplete");
      for (const place of [0, 0.3, 0.5, 0.99]) {
        const verdict = await changed(async (folder) => {
          const bytes = await readFile(join(folder, path));
          const at = Math.floor(bytes.length * place);
          bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
          await writeFile(join(folder, path), bytes);
        });
        expect(verdict.verdict, `${path} at ${place}`).not.toBe("verified");
      }
    }
  });

  it.each([
    ["behind all full tiles", "m350", 2, 190, 652],
    ["in a full tile, below a checkpoint that lies in it", "m290", 1, 256, 291],
  ])("with one record that was changed %s names it", async (_, text, index, width, seq) => {
    const verdict = await changed(async (folder) => {
      const path = join(folder, entriesPath(index, width));
      const bytes = await readFile(path);
      bytes.write("X", bytes.indexOf(`"${text}"`) + 1);
      await writeFile(path, bytes);
    });
    expect(verdict.verdict).toBe("tampered");
    expect(verdict.fault?.reason).toContain(
      `it vouches for other records; record ${seq} is not the one that a hash is stored for`,
    );
  });

  it("with a link or megabytes in a file's place is refused unread", async () => {
    const linked = await changed(async (folder) => {
      await rm(join(folder, "checkpoint"));
      await symlink(join(root, "tiles", "checkpoint"), join(folder, "checkpoint"));
    });
    expect(linked.verdict).toBe("tampered");
    const large = await changed((folder) => writeFile(join(folder, "checkpoint"), Buffer.alloc(1 << 20)));
    expect(large.fault?.reason).toContain("checkpoint is no file of this layout");
  });

  it.each([
    [0, 256, "tile/0/000"],
    [7, 256, "tile/0/007"],
    [999, 12, "tile/0/999.p/12"],
    [1_000, 256, "tile/0/x001/000"],
    [1_234_067, 256, "tile/0/x001/x234/067"],
    [1_234_067, 1, "tile/0/x001/x234/067.p/1"],
  ])("has tile %i of width %i in %s", (index, width, path) => {
    expect(tilePath(0, index, width)).toBe(path);
    expect(entriesPath(index, width)).toBe(path.replace("/0/", "/entries/"));
  });

  it("has a narrow tile for each level that is not full", () => {
    expect(partialTiles(0)).toEqual([]);
    expect(partialTiles(256)).toEqual([{ level: 1, index: 0, width: 1 }]);
    expect(partialTiles(70_000)).toEqual([
      { level: 0, index: 273, width: 112 },
      { level: 1, index: 1, width: 17 },
      { level: 2, index: 0, width: 1 },
    ]);
  });
});

describe("lines of JSON", () => {
  it("are the records to the byte, with the note over them beside", async () => {
    const file = join(root, "log.jsonl");
    expect(await exportJsonl(journal, file)).toEqual({ size: 702 });
    const lines = (await readFile(file)).toString().split("\n");
    expect(lines.pop()).toBe("");
    const tree = new TileTree();
    for (const line of lines) tree.push(leafHash(Buffer.from(line)));
    const note = await readFile(`${file}.checkpoint`, "utf8");
    const { size, root: signed } = parseCheckpoint(`${note.split("\n\n")[0]}\n`) ?? {};
    expect([size, encodeBase64(signed ?? Buffer.alloc(0))]).toEqual([lines.length, encodeBase64(tree.root())]);
    await expect(exportJsonl(journal, file)).rejects.toMatchObject({ code: "FEMTO_EXPORT_FAILED" });
  });
});

describe("a proof", () => {
  const recordAt = (seq: number): Uint8Array => machine.disk.records[seq] ?? Buffer.alloc(0);

  it("needs the record and the key alone", async () => {
    const vkey = vkeys[1] ?? "";
    for (const seq of [0, 1, 255, 256, 301, 511, 512, 701]) {
      const proof = await prove(journal, seq);
      expect(checkProof({ proof, recordBytes: recordAt(seq), vkey })).toEqual({
        ok: true,
        origin: journal.origin,
        index: seq,
        size: 702,
      });
      for (const other of [seq + 1, seq + 2]) {
        expect(checkProof({ proof, recordBytes: recordAt(other), vkey })).toMatchObject({ ok: false });
        const moved = proof.replace(`index ${seq}\n`, `index ${other}\n`);
        expect(checkProof({ proof: moved, recordBytes: recordAt(seq), vkey })).toMatchObject({ ok: false });
      }
    }
  });

  it("is refused with another key, a retired key, a changed character, or nothing", async () => {
    const proof = await prove(journal, 300);
    const parts = { recordBytes: recordAt(300), vkey: vkeys[1] ?? "" };
    expect(checkProof({ proof, ...parts }).ok).toBe(true);
    expect(checkProof({ proof, ...parts, vkey: vkeys[0] ?? "" })).toMatchObject({
      ok: false,
      reason: expect.stringContaining("not signed by this key") as string,
    });
    for (const vkey of ["", "x", vkeys[1]?.slice(1) ?? ""])
      expect(checkProof({ proof, ...parts, vkey }).ok).toBe(false);
    for (let at = 0; at < proof.length; at += 1) {
      const forged = proof.slice(0, at) + String.fromCharCode(proof.charCodeAt(at) ^ 1) + proof.slice(at + 1);
      expect(checkProof({ proof: forged, ...parts }).ok, `character ${at}`).toBe(false);
    }
    for (const forged of ["", "\n\n", proof.slice(0, 100), proof.replaceAll("\n", "\r\n")]) {
      expect(checkProof({ proof: forged, ...parts }).ok).toBe(false);
    }
  });

  it("of a record that no checkpoint covers is not made", async () => {
    await fill(journal, 2);
    for (const seq of [702, 703, 9_999, -1, 0.5, Number.NaN]) {
      await expect(prove(journal, seq)).rejects.toMatchObject({ code: "FEMTO_JOURNAL_UNSIGNED" });
    }
  });
});
