/** A witness on the network that lies, stalls, redirects and sends without end; and one that has the right to contradict. */
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import {
  cosign,
  findCosignature,
  parseAddCheckpoint,
  parseWitnessKey,
  witnessKey,
  witnessSigner,
} from "@femtoclaw/journal";
import type { WitnessAnswer } from "@femtoclaw/runtime";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HttpWitness } from "../../src/witness/http-witness.ts";
import { OfferedLog } from "./offered-log.ts";

const SIGNER = witnessSigner(generateKeyPairSync("ed25519").privateKey);
const VERIFIER = parseWitnessKey(witnessKey(SIGNER)) ?? SIGNER;
const STRANGER = witnessSigner(generateKeyPairSync("ed25519").privateKey);

let server: Server;
let log: OfferedLog;
/** Bodies of the requests, in order. */
let asked: string[];

beforeEach(async () => {
  asked = [];
  log = await (await OfferedLog.open()).grow(19);
});

afterEach(async () => {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
});

/** A witness that answers by these, one after the other. */
async function witnessBy(...answers: RequestListener[]): Promise<HttpWitness> {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      asked.push(Buffer.concat(chunks).toString());
      answers[asked.length - 1]?.(request, response);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return new HttpWitness("network", `http://127.0.0.1:${(server.address() as AddressInfo).port}`, VERIFIER);
}

const says =
  (status: number, body: string, headers: Record<string, string> = {}): RequestListener =>
  (_, response) =>
    response.writeHead(status, headers).end(body);

async function refused(witness: HttpWitness, contradicts: boolean, words: string, known = 0): Promise<void> {
  const answer: WitnessAnswer = await witness
    .take(await log.offer(known))
    .catch((error: Error) => ({ taken: false, contradicts: false, reason: error.message }));
  expect(answer).toMatchObject({ taken: false, contradicts, reason: expect.stringContaining(words) });
}

const textOf = (note: string): string => note.slice(0, note.lastIndexOf("\n\n") + 1);
const signs =
  (by = SIGNER, of = (note: string): string => textOf(note)): RequestListener =>
  (_, response) =>
    response.end(cosign(of(parseAddCheckpoint(asked.at(-1) ?? "")?.note ?? ""), by, 1_700_000_000).line);

describe("a witness on the network", () => {
  it("gets the proof from what it took before, and its cosignature is kept under the note", async () => {
    const witness = await witnessBy(signs());
    const offer = await log.offer(7);
    const answer = await witness.take(offer);
    expect(answer).toMatchObject({ taken: true });
    const { note } = answer as { note: string };
    expect(note.startsWith(offer.note)).toBe(true);
    expect(findCosignature(textOf(offer.note), note.slice(offer.note.length), VERIFIER)).toMatchObject({
      timeS: 1_700_000_000,
    });
    expect(offer.open(note)).toMatchObject({ size: 20 });
    expect(parseAddCheckpoint(asked[0] ?? "")).toMatchObject({ oldSize: 7 });
  });

  it("that holds another size is asked once more, from there", async () => {
    const witness = await witnessBy(says(409, "12\n", { "content-type": "text/x.tlog.size" }), signs());
    expect(await witness.take(await log.offer(7))).toMatchObject({ taken: true });
    expect(asked.map((body) => body.split("\n")[0])).toEqual(["old 7", "old 12"]);
  });

  it.each([
    ["a stranger's signature", signs(STRANGER), "not signed by its key"],
    ["its signature of another checkpoint", signs(SIGNER, (note) => textOf(note).replace("20", "21")), "not signed"],
    ["no signature", says(200, ""), "not signed"],
    ["noise", says(200, "\0\u2014 a b\n"), "not signed"],
    ["a redirect", says(307, "", { location: "http://127.0.0.1:9/add-checkpoint" }), "status 307"],
    ["another redirect", says(302, "", { location: "/add-checkpoint" }), "status 302"],
    ["a fault of its own", says(500, ""), "status 500"],
    ["too many requests", says(429, ""), "status 429"],
    ["404", says(404, ""), "does not know this log"],
    ["403", says(403, ""), "does not accept the key"],
    ["409 without a size", says(409, "no"), "without saying what it holds"],
    ["409 with a size that is none", says(409, "-5\n"), "without saying what it holds"],
    [
      "a body without end",
      (_: unknown, response: Parameters<RequestListener>[1]) => endless(response),
      "is longer than",
    ],
    [
      "a broken connection",
      (_: unknown, response: Parameters<RequestListener>[1]) => response.destroy(),
      "could not be asked",
    ],
  ] as const)("that answers with %s has taken nothing", async (_, answer, words) => {
    const witness = await witnessBy(answer as RequestListener);
    await refused(witness, false, words);
    expect(asked).toHaveLength(1);
  });

  it("that says 409 for ever is asked twice and no more", async () => {
    await refused(await witnessBy(says(409, "12\n"), says(409, "13\n"), says(409, "14\n")), false, "status 409");
    expect(asked).toHaveLength(2);
  });

  it.each([
    ["more records than the log", [says(409, "21\n")], "holds 21 records, and the log 20: the log was rolled back"],
    ["fewer records than it signed", [says(409, "3\n")], "holds 3 records, and cosigned 7 before"],
    ["another tree of this size", [says(409, "20\n"), says(409, "20\n")], "another tree of 20 records"],
    ["another past", [says(409, "12\n"), says(422, "")], "holds records that this log does not continue"],
  ] as const)("that holds %s contradicts", async (_, answers, words) => {
    await refused(await witnessBy(...answers), true, words, 7);
  });

  it("that does not answer, or answers a byte at a time, is left when its time is over", async () => {
    for (const silent of [
      () => undefined,
      (_: unknown, response: Parameters<RequestListener>[1]) => response.write("x"),
    ]) {
      const witness = await witnessBy(silent as RequestListener);
      const time = new AbortController();
      const answer = witness.take(await log.offer(0, time.signal));
      await expect.poll(() => asked.length).toBe(1);
      time.abort(new Error("its time is over"));
      await expect(answer).rejects.toThrow("its time is over");
      server.closeAllConnections();
      asked = [];
    }
  });
});

function endless(response: Parameters<RequestListener>[1]): void {
  const chunk = Buffer.alloc(65_536, "x");
  const more = (): void => {
    while (!response.destroyed && response.write(chunk));
    if (!response.destroyed) response.once("drain", more);
  };
  more();
}
