/** What a witness takes and refuses, by the rules of C2SP tlog-witness; and what a log believes of a witness. */
import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AddCheckpoint,
  type Checkpoint,
  cosign,
  findCosignature,
  formatAddCheckpoint,
  objection,
  openRequest,
  parseAddCheckpoint,
  parseCheckpoint,
  parseHeldSize,
  parseVerifierKey,
  parseWitnessKey,
  REQUEST_CHARS_MAX,
  witnessKey,
  witnessSigner,
} from "../../src/index.ts";
import { formatCheckpoint } from "../../src/tree/checkpoint.ts";
import { consistencyProof, rootOf } from "../../src/tree/proof.ts";
import { noteSigner, signNote, verifierKey } from "../../src/tree/signed-note.ts";
import { GrowingTree } from "../tree/growing-tree.ts";

const newKey = () => generateKeyPairSync("ed25519").privateKey;
const LOG = noteSigner("example.org/log", newKey());
const STRANGER = noteSigner("example.org/log", newKey());
const OTHER_LOG = noteSigner("example.org/other", newKey());
const WITNESS = witnessSigner(newKey());
const tree = new GrowingTree().growTo(600);

async function checkpointOf(size: number, origin = LOG.name): Promise<Checkpoint> {
  return { origin, size, root: await rootOf(size, tree.read) };
}

async function request(oldSize: number, size: number, changes: Partial<AddCheckpoint> = {}): Promise<AddCheckpoint> {
  const proof = oldSize === 0 || oldSize > size ? [] : await consistencyProof(oldSize, size, tree.read);
  return { oldSize, proof, note: signNote(formatCheckpoint(await checkpointOf(size)), [LOG]), ...changes };
}

/** The status that the witness of the log answers with, when it holds so many records. */
async function statusOf(asked: AddCheckpoint, held: number | Checkpoint | null): Promise<number> {
  const opened = openRequest(asked, [LOG]);
  if ("status" in opened) return opened.status;
  const holding = typeof held === "number" ? await checkpointOf(held) : held;
  return objection(asked, opened.checkpoint, holding)?.status ?? 200;
}

describe("a witness", () => {
  it.each([
    [0, 1, null],
    [0, 600, null],
    [1, 2, 1],
    [256, 257, 256],
    [300, 600, 300],
    [600, 600, 600],
  ])("takes what goes on from %i to %i", async (old, size, held) => {
    expect(await statusOf(await request(old, size), held)).toBe(200);
  });

  it.each([
    ["an old size above the new one", async () => request(500, 400), 500, 400],
    ["an old size that it does not hold", async () => request(300, 600), 400, 409],
    ["an old size of 0 where it holds something", async () => request(0, 600), 400, 409],
    ["an old size where it holds nothing", async () => request(300, 600), null, 409],
    ["a smaller tree", async () => request(300, 300), 600, 409],
    ["no proof", async () => request(300, 600, { proof: [] }), 300, 422],
    ["the proof of another step", async () => request(300, 600, { proof: (await request(301, 600)).proof }), 300, 422],
    ["a proof where there is nothing to prove", async () => request(0, 600, { proof: [Buffer.alloc(32)] }), null, 422],
    ["a proof between equals", async () => request(600, 600, { proof: [Buffer.alloc(32)] }), 600, 422],
    ["an empty tree of another root", async () => request(0, 0, { note: signNote(emptyOf(1), [LOG]) }), null, 409],
    [
      "another log",
      async () => request(0, 600, { note: signNote(textOf("example.org/other"), [OTHER_LOG]) }),
      null,
      404,
    ],
    [
      "another log's name under this key",
      async () => request(0, 600, { note: signNote(textOf("x"), [LOG]) }),
      null,
      404,
    ],
    ["a stranger's key", async () => request(0, 600, { note: signNote(textOf(LOG.name), [STRANGER]) }), null, 403],
    ["another log's key", async () => request(0, 600, { note: signNote(textOf(LOG.name), [OTHER_LOG]) }), null, 403],
    ["extension lines", async () => request(0, 600, { note: signNote(`${textOf(LOG.name)}more\n`, [LOG]) }), null, 400],
    ["no note", async () => request(0, 600, { note: "" }), null, 400],
  ] as const)("refuses %s", async (_, asked, held, status) => {
    expect(await statusOf(await asked(), held)).toBe(status);
  });

  it("refuses another tree of the size that it holds, and whatever goes on from that", async () => {
    const held = { ...(await checkpointOf(300)), root: Buffer.alloc(32, 7) };
    expect(await statusOf(await request(300, 300), held)).toBe(409);
    expect(await statusOf(await request(300, 600), held)).toBe(422);
  });

  it("takes the empty tree", async () => {
    expect(await statusOf(await request(0, 0), null)).toBe(200);
  });

  it("never takes one tree after another of which it is not the beginning, whatever is proved", async () => {
    const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
    const proofs = fc.array(hash, { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 599 }), hash, proofs, async (size, root, proof) => {
        const asked = await request(size, 600, { proof });
        expect(await statusOf(asked, { origin: LOG.name, size, root })).toBe(422);
      }),
    );
  });
});

function textOf(origin: string): string {
  return formatCheckpoint({ origin, size: 600, root: Buffer.alloc(32) });
}

function emptyOf(fillByte: number): string {
  return formatCheckpoint({ origin: LOG.name, size: 0, root: Buffer.alloc(32, fillByte) });
}

describe("a request", () => {
  it("is read as it was written", async () => {
    for (const [old, size] of [
      [0, 1],
      [1, 600],
      [599, 600],
    ] as const) {
      const written = await request(old, size);
      const read = parseAddCheckpoint(formatAddCheckpoint(written));
      expect(read?.proof.map((hash) => Buffer.from(hash).toString("hex"))).toEqual(
        written.proof.map((hash) => Buffer.from(hash).toString("hex")),
      );
      expect(read).toMatchObject({ oldSize: old, note: written.note });
    }
  });

  it.each([
    ["nothing", ""],
    ["no old size", "\n\nnote"],
    ["a size with a zero before it", "old 01\n\nnote"],
    ["a size below zero", "old -1\n\nnote"],
    ["a size that no number holds", "old 9007199254740993\n\nnote"],
    ["no empty line", "old 1\nnote"],
    ["a hash that is too short", "old 1\nAAAA\n\nnote"],
    ["a hash in another spelling", `old 1\n${Buffer.alloc(32).toString("base64url")}\n\nnote`],
    ["more hashes than any tree needs", `old 1\n${`${Buffer.alloc(32).toString("base64")}\n`.repeat(64)}\nnote`],
    ["more than any note has", `old 1\n\n${"x".repeat(REQUEST_CHARS_MAX)}`],
  ])("is none with %s", (_, body) => expect(parseAddCheckpoint(body)).toBeNull());

  it.each(["", "5", "05\n", "-1\n", "5\n\n", "9007199254740993\n"])("and %j is no size", (body) =>
    expect(parseHeldSize(body)).toBeNull(),
  );
});

describe("a cosignature", () => {
  const text = textOf(LOG.name);
  const verifier = parseWitnessKey(witnessKey(WITNESS)) ?? WITNESS;
  const { line } = cosign(text, WITNESS, 1_700_000_000);

  it("is found among the lines of others, with its time", () => {
    const stranger = cosign(text, witnessSigner(newKey()), 5).line;
    expect(findCosignature(text, `${stranger}${line}`, verifier)).toEqual({ line, timeS: 1_700_000_000 });
  });

  it("counts for no other checkpoint, time, name or key", () => {
    const bytes = Buffer.from(line.trim().split(" ")[2] ?? "", "base64");
    const encoded = (changed: Buffer): string => `\u2014 ${WITNESS.name} ${changed.toString("base64")}\n`;
    for (let at = 4; at < bytes.length; at += 1) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      expect(findCosignature(text, encoded(flipped), verifier)).toBeNull();
    }
    expect(findCosignature(textOf("x"), line, verifier)).toBeNull();
    expect(findCosignature(text, line.replace(WITNESS.name, "other"), verifier)).toBeNull();
    expect(findCosignature(text, encoded(bytes.subarray(0, 68)), verifier)).toBeNull();
    // A plain signature by the same key says nothing about when or whether the log went on.
    expect(findCosignature(text, signNote(text, [WITNESS]).slice(text.length + 1), verifier)).toBeNull();
  });

  it("is not found in what is not made of signatures", () => {
    for (const lines of ["", "\n", "5\n", line.trim(), `x\n${line}`, `\n${line}`, `\u2014 a b\n${line}`]) {
      expect(findCosignature(text, lines, verifier)).toBeNull();
    }
  });

  it("is by a key that is no key of a log, and the other way round", () => {
    expect(parseVerifierKey(witnessKey(WITNESS))).toBeNull();
    expect(parseWitnessKey(verifierKey(LOG))).toBeNull();
    expect(parseWitnessKey(witnessKey(WITNESS).replace("+", "+0"))).toBeNull();
  });

  it("stands under the checkpoint beside the log's own signature, and neither hides the other", () => {
    const note = `${signNote(text, [LOG])}${line}`;
    expect(parseCheckpoint(note.slice(0, note.lastIndexOf("\n\n") + 1))).toMatchObject({ size: 600 });
    expect(findCosignature(text, note.slice(text.length + 1), verifier)).toMatchObject({ line });
  });
});
