/** What a capability of others logs, seen while it runs: all of it that is text, none of what is its answer, and no more. */
import type { OutputPart, Reply } from "@femtoclaw/protocol";
import type { Runtime, Session } from "@femtoclaw/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { call, ofType, recordsOf } from "../runtime-fixture.ts";
import { PackagePlace, told } from "./package-place.ts";

const TOKEN = `ghp_${"a1B2".repeat(10)}`;
const PIECES = `const pieces = (bytes) => { for (const byte of bytes) writeSync(2, Uint8Array.of(byte)); };`;
const WRITE = `import { writeSync } from "node:fs"; ${PIECES}`;
/** Goes on after its answer is written, and never lets its process end. */
const ON = `const say = process.stdout.write.bind(process.stdout);
process.stdout.write = (line) => { say(line, () => { for (;;) try { writeSync(2, "after the answer\\n"); } catch {} }); };`;

let place: PackagePlace;
let runtime: Runtime;

beforeAll(async () => {
  place = new PackagePlace();
  place.add("logs", {
    run: 'console.log("begun"); console.error("warned"); process.stderr.write("raw\\n"); return { said: "in the answer" };',
  });
  place.add("leaks", {
    before: WRITE,
    run: `pieces(Buffer.from("a key: ${TOKEN} \\n")); writeSync(2, 'password = "battery-staple"\\n'); return {};`,
  });
  const secret = { type: "object", properties: { token: { type: "string", "x-secret": true } } };
  place.add("answers_a_secret", { run: 'return { token: "correct-horse" };', manifest: { output: secret } });
  place.add("garbles", {
    before: WRITE,
    run: 'pieces([0xff, 0xc3, 0x28, 0xf0, 0x9f, 0x0a, 0x00, 0x1b, 0x5b, 0x32, 0x4a, 0x0a]); pieces(Buffer.from("Grüße 🐾")); return {};',
  });
  place.add("floods", {
    before: WRITE,
    run: 'const line = "x ".repeat(32_768); for (;;) try { writeSync(2, line); } catch {}',
  });
  place.add("waits", { run: 'console.log("begun"); return await new Promise(() => setInterval(() => {}, 1000));' });
  place.add("goes_on", { before: `${WRITE} ${ON}` }, { timeout_ms: 60_000 });
  place.add("speaks_beside", { run: 'process.stdout.write("not an answer\\n"); return {};' });
  runtime = await place.open();
});

afterAll(async () => {
  await place[Symbol.asyncDispose]();
});

interface Heard {
  readonly reply: Reply;
  readonly execution: string;
  readonly parts: readonly OutputPart[];
  readonly text: string;
}

/** Proposes it and looks on, as whoever proposed it can. */
async function heard(name: string, session: Session = runtime.openSession({ channel: "library" })): Promise<Heard> {
  const named = Promise.withResolvers<string>();
  const reply = session.propose(call(name), { onIdentified: named.resolve });
  const execution = await named.promise;
  const parts: OutputPart[] = [];
  for await (const part of session.outputs.follow(execution)) parts.push(part);
  return { reply: await reply, execution, parts, text: parts.map(({ text }) => text).join("") };
}

test("what it prints is told as its standard error, to its session and to operators, and its answer is not", async () => {
  const { reply, execution, parts, text } = await heard("logs");
  expect(told(reply)).toBe('completed: {"said":"in the answer"}');
  expect(text).toBe("begun\nwarned\nraw\n");
  expect(new Set(parts.map(({ stream }) => stream))).toEqual(new Set(["stderr"]));
  const seen = await runtime.outputs.watch({ execution, from: 0, waitMs: 0 });
  expect(seen.parts.map((part) => part.text).join("")).toBe(text);
  const other = runtime.openSession({ channel: "agent" });
  await expect(other.outputs.watch({ execution, from: 0, waitMs: 0 })).rejects.toThrow("no execution");
});

test("it is told before there is an outcome", async () => {
  const session = runtime.openSession({ channel: "library" });
  const named = Promise.withResolvers<string>();
  const stop = new AbortController();
  const reply = session.propose(call("waits"), { onIdentified: named.resolve, signal: stop.signal });
  const execution = await named.promise;
  const first = await session.outputs.follow(execution)[Symbol.asyncIterator]().next();
  expect(first.value).toEqual({ stream: "stderr", text: "begun\n", skipped: 0 });
  expect(ofType(await recordsOf(runtime.reader), "execution.outcome").map((one) => one.execution)).not.toContain(
    execution,
  );
  stop.abort();
  expect((await reply).status).toBe("error");
});

test("a secret that it prints, in pieces too, is told no more than a record would hold it", async () => {
  const { text } = await heard("leaks");
  expect(text).toContain("a key: [redacted:github-token] \n");
  expect(text).not.toContain("a1B2");
  expect(text).toContain('password = "[redacted:assignment]"');
});

test("what its answer holds, secret or not, is told by no output", async () => {
  const { reply, text } = await heard("answers_a_secret");
  expect([reply.result, text]).toEqual([{ token: "correct-horse" }, ""]);
  const stray = await heard("speaks_beside");
  expect(told(stray.reply)).toMatch(/^FEMTO_CAPABILITY_CONTAINED: it wrote more, or other, than one line/);
  expect(stray.text).toBe("");
});

test("bytes that are no text are told as such, and characters in pieces are whole", async () => {
  const { text } = await heard("garbles");
  expect(text).toBe("\ufffd\ufffd(\ufffd\n\u0000\u001b[2J\nGrüße 🐾");
  expect(text.isWellFormed()).toBe(true);
});

test("a flood ends its own call, and of it no more is kept than of any program", async () => {
  const session = runtime.openSession({ channel: "library" });
  const { reply, parts, execution } = await heard("floods", session);
  expect(told(reply)).toBe("FEMTO_CAPABILITY_CONTAINED: it wrote more than 1114112 bytes");
  const all = parts.reduce((sum, { text, skipped }) => sum + Buffer.byteLength(text) + skipped, 0);
  expect(all).toBe(1_114_112);
  const late = await runtime.outputs.watch({ execution, from: 0, waitMs: 0 });
  expect(late.skipped).toBeGreaterThan(1_114_112 - 131_073);
});

test("what comes after its answer neither changes it nor outlives its call", async () => {
  const { reply, execution, text } = await heard("goes_on");
  expect(told(reply)).toBe("FEMTO_CAPABILITY_CONTAINED: it wrote more than 1114112 bytes");
  expect(text).toContain("after the answer");
  const first = await runtime.outputs.watch({ execution, from: 0, waitMs: 0 });
  expect(first.next).toBeLessThanOrEqual(1_114_112);
  const end = await runtime.outputs.watch({ execution, from: 1_114_112, waitMs: 0 });
  expect(end).toMatchObject({ parts: [], state: "ended" });
});
