/** The page on the journal's format, checked with nothing but Node's own cryptography, and against the journal. */
import { createHash, createHmac, createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { KeyChain } from "../src/index.ts";
import { decodeRecord, encodeRecord } from "../src/records/record.ts";
import { openCommitment } from "../src/sealing/commitments.ts";

const page = readFileSync(join(import.meta.dirname, "../../../docs/reference/journal-format.md"), "utf8");

/** The content of the block of this name, to the byte. */
function block(name: string): string {
  const found = new RegExp(`^\`\`\`\\w+ ${name}\n([\\s\\S]*?)\n\`\`\`$`, "m").exec(page)?.[1];
  if (found === undefined) throw new Error(`the page has no block ${name}`);
  return found;
}

const sha256 = (...parts: Uint8Array[]): Buffer => createHash("sha256").update(Buffer.concat(parts)).digest();
const records = [0, 1].map((seq) => Buffer.from(block(`record-${seq}`)));
const leaves = records.map((bytes) => sha256(Buffer.of(0), bytes));
const root = sha256(Buffer.of(1), ...leaves);
const fieldsOf = (bytes: Buffer | undefined): Record<string, never> =>
  JSON.parse(String(bytes)) as Record<string, never>;

it("has leaf hashes and a root that follow from the records", () => {
  expect(leaves.map((leaf) => leaf.toString("hex"))).toEqual([block("leaf-0"), block("leaf-1")]);
  expect(root.toString("hex")).toBe(block("root"));
});

it("has a commitment that salt and value open, and no other value", () => {
  const { commitments } = fieldsOf(records[1]) as unknown as { commitments: { hmac: string; bytes: number }[] };
  const [commitment] = commitments;
  const salt = Buffer.from(block("salt"), "hex");
  const hmac = (value: string): string => createHmac("sha256", salt).update(value, "utf8").digest("hex");
  expect(salt.byteLength).toBe(32);
  expect(commitment).toMatchObject({ hmac: hmac(block("value")), bytes: Buffer.byteLength(block("value")) });
  expect(hmac(`${block("value")}!`)).not.toBe(commitment?.hmac);
});

it("has a checkpoint of this root, signed by the key that record 0 names, of a log that is named after it", () => {
  const { body } = fieldsOf(records[0]) as unknown as { body: { origin: string; vkey: string } };
  const [name, keyId, encoded] = body.vkey.split("+");
  const key = Buffer.from(encoded ?? "", "base64").subarray(1);
  expect(name).toBe(body.origin);
  const named = sha256(Buffer.from("femtoclaw log\n"), key).toString("hex").slice(0, 32);
  expect(body.origin).toBe(`femtoclaw.local/${named}`);
  const id = sha256(Buffer.from(`${name}\n`), Buffer.of(1), key).subarray(0, 4);
  expect(id.toString("hex")).toBe(keyId);

  const [text = "", line = ""] = block("checkpoint").split("\n\n");
  expect(text.split("\n")).toEqual([body.origin, "2", root.toString("base64")]);
  const [dash, signer, signed = ""] = line.split(" ");
  expect([dash, signer]).toEqual(["\u2014", body.origin]);
  const signature = Buffer.from(signed, "base64");
  expect(signature.subarray(0, 4)).toEqual(id);
  const publicKey = createPublicKey({
    key: { kty: "OKP", crv: "Ed25519", x: key.toString("base64url") },
    format: "jwk",
  });
  expect(verify(null, Buffer.from(`${text}\n`), publicKey, signature.subarray(4))).toBe(true);
});

it("is what the journal itself writes and takes", () => {
  const decoded = records.map((bytes) => decodeRecord(bytes));
  for (const [seq, record] of decoded.entries()) expect(encodeRecord(record)).toEqual(records[seq]);
  const [zero, one] = decoded;
  if (zero === undefined || one === undefined) throw new Error("there are two records");
  const opened = KeyChain.begin(zero).openCheckpoint(`${block("checkpoint")}\n`);
  expect(opened).toMatchObject({ size: 2, root });
  const [commitment] = one.commitments ?? [];
  if (commitment === undefined) throw new Error("record 1 commits to something");
  const blob = Buffer.concat([Buffer.from(block("salt"), "hex"), Buffer.from(block("value"))]);
  expect(openCommitment(commitment, blob)).toEqual(Buffer.from(block("value")));
  const order = page
    .match(/are in this order: ([\s\S]*?)\. Keys/)?.[1]
    ?.match(/`(\w+)`/g)
    ?.map((key) => key.slice(1, -1));
  expect(order).toEqual([...Object.keys(one), "redactions"]);
});
