import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatCheckpoint, parseCheckpoint } from "../../src/tree/checkpoint.ts";
import { noteSigner, openNote, parseVerifierKey, signNote, verifierKey } from "../../src/tree/signed-note.ts";
import { formatTlogProof, parseTlogProof } from "../../src/tree/tlog-proof.ts";

const signer = (name = "example.org/log") => noteSigner(name, generateKeyPairSync("ed25519").privateKey);
const root = Buffer.alloc(32, 7);
const text = formatCheckpoint({ origin: "example.org/log", size: 9, root });

/** The example of Go's sumdb/note, which the C2SP specification has too. */
const PETER_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const PETER_NOTE = `If you think cryptography is the answer to your problem,
then you don't know what your problem is.

\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
`;

describe("signed notes", () => {
  it("opens the example of the specification, and writes its key the same way", () => {
    const key = parseVerifierKey(PETER_KEY);
    if (key === null) throw new Error("the key was not understood");
    expect(verifierKey(key)).toBe(PETER_KEY);
    expect(openNote(PETER_NOTE, [key])?.text).toMatch(/^If you think.*problem is\.\n$/s);
    for (let at = 0; at < PETER_NOTE.length; at += 1) {
      const changed =
        PETER_NOTE.slice(0, at) + String.fromCharCode(PETER_NOTE.charCodeAt(at) ^ 1) + PETER_NOTE.slice(at + 1);
      expect(openNote(changed, [key]), `character ${at}`).toBeNull();
    }
  });

  it("passes over unknown signers, and takes none for enough when one is known", () => {
    const [known, unknown, namesake] = [signer(), signer(), signer("example.org/other")];
    const note = signNote(text, [unknown, known, namesake]);
    expect(openNote(note, [known])?.signers).toEqual([known]);
    expect(openNote(note, [known, unknown])?.signers).toEqual([unknown, known]);
    expect(openNote(note, [signer()])).toBeNull();
    expect(openNote(note, [])).toBeNull();
    // The right key under another name is another signer.
    expect(openNote(note, [noteSigner("example.org/third", known.privateKey)])).toBeNull();
  });

  it("is worthless with one wrong signature by a known key, whatever else it has", () => {
    const [first, second] = [signer(), signer()];
    const lines = signNote(text, [first, second]).split("\n");
    const foreign = signNote(text.replace("9", "8"), [second]).split("\n");
    const mixed = lines.with(-2, foreign.at(-2) ?? "").join("\n");
    expect(openNote(mixed, [first, second])).toBeNull();
    expect(openNote(mixed, [first])?.signers).toEqual([first]);
  });

  it.each([
    ["nothing", ""],
    ["no signature", `${text}\n`],
    ["no empty line", text],
    ["a hyphen for the dash", signNote(text, [signer()]).replace("\u2014", "-")],
    ["a text after the signatures", `${signNote(text, [signer()])}more`],
    ["a signature that is cut", signNote(text, [signer()]).replace(/.{9}\n$/, "\n")],
    ["megabytes", `${"x".repeat(1 << 20)}\n\n`],
  ])("refuses %s", (_, note) => expect(openNote(note, [signer(), signer()])).toBeNull());

  it("has one spelling: no padding bits, no loose base64", () => {
    const key = signer();
    const note = signNote(text, [key]);
    const encoded = /(\S+)=\n$/.exec(note)?.[1] ?? "";
    const last = encoded.at(-1) ?? "";
    const twins = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"].filter(
      (letter) => letter !== last,
    );
    for (const twin of twins)
      expect(openNote(note.replace(`${encoded}=`, `${encoded.slice(0, -1)}${twin}=`), [key])).toBeNull();
    expect(() => signNote("without a newline", [key])).toThrow(TypeError);
  });

  it.each([
    "",
    "name",
    PETER_KEY.replace("c74f20a3", "c74f20a4"),
    PETER_KEY.replace("+AR", "+BR"),
    PETER_KEY.replace("Peter", "Pete"),
    PETER_KEY.slice(0, -4),
  ])("takes %j for no key", (key) => expect(parseVerifierKey(key)).toBeNull());
});

describe("checkpoints", () => {
  it("are three lines, and nothing else is one", () => {
    expect(parseCheckpoint(text)).toEqual({ origin: "example.org/log", size: 9, root });
    const [origin, size, hash] = text.split("\n");
    for (const wrong of [
      `${origin}\n${size}\n${hash}`,
      `${text}extension\n`,
      `${origin}\n0${size}\n${hash}\n`,
      `${origin}\n-1\n${hash}\n`,
      `${origin}\n1e3\n${hash}\n`,
      `${origin}\n99999999999999999999\n${hash}\n`,
      `${origin}\n${size}\n${hash?.slice(4)}\n`,
      `\n${size}\n${hash}\n`,
      "",
    ]) {
      expect(parseCheckpoint(wrong), JSON.stringify(wrong)).toBeNull();
    }
  });
});

describe("proof files", () => {
  it.each([0, 1, 20])("say what went into them, with %i hashes", (count) => {
    const proof = { index: 7, hashes: new Array<Buffer>(count).fill(root), checkpoint: signNote(text, [signer()]) };
    expect(parseTlogProof(formatTlogProof(proof))).toEqual(proof);
    expect(formatTlogProof(proof).startsWith("c2sp.org/tlog-proof@v1\nindex 7\n")).toBe(true);
  });

  it("are refused in any other form, and never more than refused", () => {
    const good = formatTlogProof({ index: 7, hashes: [root], checkpoint: "note" });
    for (const wrong of [
      good.replace("v1", "v2"),
      good.replace("index 7", "index 07"),
      good.replace("index 7", "index -7"),
      good.replace("Bw", "B"),
      good.replace("\n\n", "\n"),
      good.replace("index 7\n", ""),
      `c2sp.org/tlog-proof@v1\nindex 7\n${`${root.toString("base64")}\n`.repeat(64)}\nnote`,
    ]) {
      expect(parseTlogProof(wrong), JSON.stringify(wrong)).toBeNull();
    }
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (any) => {
        parseTlogProof(any);
        parseCheckpoint(any);
        openNote(any, [signer()]);
        parseVerifierKey(any);
      }),
      { numRuns: 200 },
    );
  });
});
