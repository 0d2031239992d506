/**
 * Our checkpoints and proofs in the hands of programs that know nothing of FemtoClaw: Go's own log code,
 * openssl, and a few lines of Python. Where CI is set, a missing program is a failure.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { hashReader } from "../src/audit/inclusion.ts";
import { cosign, prove, witnessSigner } from "../src/index.ts";
import { consistencyProof } from "../src/tree/proof.ts";
import { rawKey } from "../src/tree/signed-note.ts";
import { parseTlogProof } from "../src/tree/tlog-proof.ts";
import { collect, message } from "./journal-fixture.ts";
import { Machine } from "./machine.ts";

const SIZES = [1, 2, 3, 255, 256, 257, 1_000, 65_535, 65_536, 65_537];
const GO_ENVIRONMENT = {
  GO111MODULE: "off",
  GOPATH: "/usr/share/gocode",
  GOFLAGS: "",
  GOCACHE: join(tmpdir(), "femtoclaw-go-cache"),
};
const REQUIRED = process.env["CI"] === "true";

interface Case {
  readonly Kind: "inclusion" | "consistency";
  readonly Note: string;
  readonly Vkey: string;
  readonly Record: string;
  readonly Index: number;
  readonly OldNote: string;
  readonly Path: readonly string[];
}

const honest: Case[] = [];
const witness = witnessSigner(generateKeyPairSync("ed25519").privateKey);
const COSIGNED_S = 1_700_000_000;

beforeAll(async () => {
  const { journal } = await new Machine().boot();
  const [created] = await collect(journal.read(0, 1));
  const Vkey = created?.type === "log.created" ? created.body.vkey : "";
  const base = { Vkey, Record: "", Index: 0, OldNote: "" };
  const notes: { size: number; note: string }[] = [];
  for (const size of SIZES) {
    while (journal.size < size) {
      const count = Math.min(size - journal.size, 8_192);
      await Promise.all(Array.from({ length: count }, (_, index) => journal.append(message(`${size}/${index}`))));
    }
    const note = await journal.checkpoint();
    for (const index of new Set([0, 1, 254, 255, 256, Math.floor(size / 2), size - 1].filter((at) => at < size))) {
      const { hashes, checkpoint } = parseTlogProof(await prove(journal, index)) ?? { hashes: [], checkpoint: "" };
      expect(checkpoint).toBe(note);
      const [stored] = await collect(journal.readStored(index, index + 1));
      const Record = Buffer.from(stored?.bytes ?? []).toString("base64");
      honest.push({ ...base, Kind: "inclusion", Note: note, Record, Index: index, Path: hashes.map(base64) });
    }
    for (const old of notes) {
      const path = await consistencyProof(old.size, size, hashReader(journal));
      honest.push({ ...base, Kind: "consistency", Note: note, OldNote: old.note, Path: path.map(base64) });
    }
    notes.push({ size, note });
  }
  // What a witness adds is nobody's business who does not know it.
  const [first] = honest;
  if (first === undefined) throw new Error("there are honest cases");
  const text = first.Note.slice(0, first.Note.lastIndexOf("\n\n") + 1);
  honest.push({ ...first, Note: first.Note + cosign(text, witness, COSIGNED_S).line });
  await journal.close();
});

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

function flipped(text: string): string {
  const bytes = Buffer.from(text, "base64");
  bytes.writeUInt8((bytes[0] ?? 0) ^ 1, 0);
  return bytes.toString("base64");
}

/** Something wrong in each honest case, a different thing in each. */
function tampered(cases: readonly Case[]): Case[] {
  return cases.flatMap((one, at) => {
    const changes: Partial<Case>[] = [
      { Note: one.Note.replace(/\n(\d+)\n/, (_, size: string) => `\n${Number(size) + 1}\n`) },
      { Note: one.Note.replace(/(?<=\n)[^\n]+(?=\n\n)/, flipped) },
      { Path: [...one.Path, base64(Buffer.alloc(32))] },
      ...(one.Path.length === 0
        ? []
        : [{ Path: one.Path.with(at % one.Path.length, flipped(one.Path[at % one.Path.length] ?? "")) }]),
      ...(one.Kind === "inclusion"
        ? [{ Record: flipped(one.Record) }, { Index: one.Index + 1 }]
        : [{ OldNote: one.Note.replace("\n", "x\n") }]),
    ];
    return changes.map((change) => ({ ...one, ...change }));
  });
}

function available(program: string, args: readonly string[]): boolean {
  const { status } = spawnSync(program, args, { env: { ...process.env, ...GO_ENVIRONMENT }, stdio: "ignore" });
  if (status !== 0 && REQUIRED) throw new Error(`${program} ${args.join(" ")} does not work here, and CI needs it`);
  return status === 0;
}

function verdicts(program: string, args: readonly string[], cases: readonly Case[]): boolean[] {
  const env = { ...process.env, ...GO_ENVIRONMENT };
  const output = execFileSync(program, args, { env, input: JSON.stringify(cases), maxBuffer: 1 << 24 });
  return output
    .toString()
    .trim()
    .split("\n")
    .map((line) => line === "true");
}

const GO = ["run", join(import.meta.dirname, "interop/main.go")];
const PYTHON = [join(import.meta.dirname, "interop/check.py")];
const hasGo = available("go", ["list", "golang.org/x/mod/sumdb/tlog"]);
const hasPython = available("python3", ["--version"]) && available("openssl", ["version"]);

describe("a stranger's program", () => {
  it.skipIf(!hasGo)(
    "in Go accepts every honest note and proof, and no other (needs golang-go, golang-golang-x-mod-dev)",
    () => {
      expect(honest.length).toBeGreaterThan(80);
      expect(verdicts("go", GO, honest)).toEqual(honest.map(() => true));
      const forged = tampered(honest);
      expect(verdicts("go", GO, forged).filter(Boolean)).toEqual([]);
    },
  );

  it.skipIf(!hasPython)(
    "in Python accepts every honest note and proof of a record, and no other (needs python3, openssl)",
    () => {
      const cases = honest.filter(({ Kind }) => Kind === "inclusion");
      expect(verdicts("python3", PYTHON, cases)).toEqual(cases.map(() => true));
      expect(verdicts("python3", PYTHON, tampered(cases)).filter(Boolean)).toEqual([]);
    },
  );

  it.skipIf(!hasPython)("openssl accepts the signature over the text of a note, and over no other", () => {
    const [{ Note, Vkey } = { Note: "", Vkey: "" }] = honest;
    const raw = Buffer.from(Vkey.split("+").slice(2).join("+"), "base64").subarray(1);
    const [text = "", signature = ""] = Note.split("\n\n");
    const bytes = Buffer.from(signature.trim().split(" ")[2] ?? "", "base64");
    expect(opensslAccepts(raw, bytes.subarray(4), [`${text}\n`, `${text}\n\n`])).toEqual([true, false]);
  });

  it.skipIf(!hasPython)("openssl accepts a cosignature over the time and the text, and over no other", () => {
    const text = `${honest.at(-1)?.Note.split("\n\n")[0]}\n`;
    const bytes = Buffer.from(cosign(text, witness, COSIGNED_S).line.trim().split(" ")[2] ?? "", "base64");
    expect(Number(bytes.readBigUInt64BE(4))).toBe(COSIGNED_S);
    const bodies = [COSIGNED_S, COSIGNED_S + 1].map((timeS) => `cosignature/v1\ntime ${timeS}\n${text}`);
    expect(opensslAccepts(rawKey(witness.publicKey), bytes.subarray(12), [...bodies, text])).toEqual([
      true,
      false,
      false,
    ]);
  });
});

/** Which of the texts openssl finds signed by the raw key. */
function opensslAccepts(raw: Uint8Array, signature: Uint8Array, texts: readonly string[]): boolean[] {
  const folder = mkdtempSync(join(tmpdir(), "femtoclaw-openssl-"));
  try {
    writeFileSync(join(folder, "pub.der"), Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), raw]));
    writeFileSync(join(folder, "sig"), signature);
    return texts.map((text) => {
      writeFileSync(join(folder, "body"), text);
      const args = "pkeyutl -verify -pubin -keyform DER -inkey pub.der -rawin -in body -sigfile sig";
      return spawnSync("openssl", args.split(" "), { cwd: folder, stdio: "ignore" }).status === 0;
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
