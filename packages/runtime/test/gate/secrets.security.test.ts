/** Secrets on their way through the gate: the effect and the answer have them, no record does. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { LIMITS } from "@femtoclaw/protocol";
import type { Runtime } from "@femtoclaw/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call, capability, Home, manifestOf, ofType, recordsOf } from "../runtime-fixture.ts";

const CANARY = "canary-in-a-coal-mine";
const SECRET = { type: "string", "x-secret": true };
const seen: unknown[] = [];
const login = capability(
  "login",
  ({ args }) => {
    seen.push(args);
    return { session: CANARY, user: "me", env: { LANG: "C", SESSION: CANARY } };
  },
  {
    input: {
      ...manifestOf("login").input,
      properties: { user: { type: "string" }, phrase: SECRET, many: { type: "array", items: SECRET } },
    },
    output: { type: "object", properties: { session: SECRET, env: { type: "object", "x-secret": "environment" } } },
  },
);

let home: Home;
let runtime: Runtime;
beforeAll(async () => {
  home = new Home();
  runtime = await home.start({ capabilities: [login] });
});
afterAll(async () => {
  await runtime.close({ drainMs: 0 });
  home.remove();
});

const propose = (args: Record<string, unknown>, tool = "login") =>
  runtime.openSession({ channel: "agent", label: "an agent" }).propose(call(tool, args));

describe("a value that a schema marks", () => {
  it("reaches the effect and the answer, and no record", async () => {
    const reply = await propose({ user: "me", phrase: CANARY, many: [CANARY, CANARY] });
    expect(seen).toEqual([{ user: "me", phrase: CANARY, many: [CANARY, CANARY] }]);
    expect(reply.result).toMatchObject({ session: CANARY });
    const records = await recordsOf(runtime.reader);
    const [intent] = ofType(records, "execution.intent");
    const [outcome] = ofType(records, "execution.outcome");
    expect(intent?.body.args).toEqual({ user: "me", phrase: "[redacted]", many: ["[redacted]", "[redacted]"] });
    expect(intent?.redactions?.map(({ path, rule }) => `${path} ${rule}`)).toEqual([
      "/args/phrase x-secret",
      "/args/many/0 x-secret",
      "/args/many/1 x-secret",
    ]);
    expect(outcome?.body.result).toEqual({
      session: "[redacted]",
      user: "me",
      env: { LANG: "C", SESSION: "[redacted]" },
    });
  });

  it("stands in no head of a payload that was refused, whatever was wrong with it", async () => {
    const long = `${CANARY}${"x".repeat(600)}`;
    for (const args of [{ user: 7, phrase: CANARY }, { phrase: { deeper: CANARY } }, { phrase: long, none: 1 }]) {
      expect(await propose(args)).toMatchObject({ status: "denied" });
    }
    const refused = ofType(await recordsOf(runtime.reader), "execution.refused");
    expect(refused).toHaveLength(3);
    for (const { body, redactions, commitments } of refused) {
      expect(body.request.head).toContain("[redacted]");
      expect(redactions).toContainEqual({ path: "/request/head", rule: "x-secret" });
      expect(commitments).toMatchObject([{ path: "/request/payload", form: "bytes", kept: false }]);
    }
  });

  it("is not cut in two where the head of a payload ends, which would hide what it is", async () => {
    const token = `ghp_${"a1B2".repeat(9)}`;
    for (let before = 440; before < 520; before += 1) {
      await propose({ text: `${"x".repeat(before)} ${token}` }, "unknown_tool");
    }
    const heads = ofType(await recordsOf(runtime.reader), "execution.refused").map(({ body }) => body.request.head);
    expect(heads.filter((head) => head.includes("ghp_"))).toEqual([]);
  });

  it("is not cut in two behind another one, which takes so little room in the head that both ends are near", async () => {
    const key = (chars: number) => `-----BEGIN PRIVATE KEY-----${"k".repeat(chars)}-----END PRIVATE KEY-----`;
    const token = `ghp_${"a1B2".repeat(9)}`;
    const session = runtime.openSession({ channel: "agent" });
    for (let chars = 3_900; chars < 4_100; chars += 10) {
      const reply = await session.propose(Buffer.from(`no JSON: ${key(chars)} ${token}`));
      expect(reply).toMatchObject({ status: "error" });
    }
    const heads = ofType(await recordsOf(runtime.reader), "execution.refused").map(({ body }) => body.request.head);
    expect(heads.filter((head) => head.startsWith("no JSON: "))).toHaveLength(20);
    expect(heads.filter((head) => /ghp_|kkk/.test(head))).toEqual([]);
  });

  it("stands in no head however the payload writes it, and in no label that was cut", async () => {
    const token = `ghp_${"a1B2".repeat(9)}`;
    const texts = [`line\n${token}`, `{"password":"${CANARY}"}`, `PASSWORD\t=\t"${CANARY}"`];
    for (const text of texts) await propose({ text }, "unknown_tool");
    await propose({ password: `a ${CANARY}` }, "unknown_tool");
    const session = runtime.openSession({ channel: "agent" });
    await session.propose(Buffer.from(JSON.stringify(call("unknown_tool", { text: texts[0] })).slice(0, -1)));
    await session.propose(call("login", {}), { label: `${"x".repeat(LIMITS.labelChars - 20)} ${token}` });
    const text = JSON.stringify(await recordsOf(runtime.reader));
    expect(text).not.toContain(token.slice(0, 8));
    expect(text).not.toContain(CANARY);
  });

  it("lies in no file of the state directory", async () => {
    const files = readdirSync(home.state, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.length).toBeGreaterThan(5);
    for (const { name, parentPath } of files) {
      expect(readFileSync(join(parentPath, name)).includes(CANARY), name).toBe(false);
    }
  });
});

describe("a record", () => {
  it("says who acted, for whom, by which door, and which machine folds it", async () => {
    const records = await recordsOf(runtime.reader);
    const [intent] = ofType(records, "execution.intent");
    expect(intent?.actor).toEqual({
      principal: "default",
      agent: "an agent",
      channel: "agent",
      delegation: { uid: intent?.session, parent: null, issuer: "runtime" },
    });
    expect(intent?.machine).toMatchObject({ id: "execution", sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(records.filter(({ type, actor }) => type === "lifecycle.changed" && actor !== null)).toEqual([]);
  });

  it("names the input of its decision by a digest that its own text gives", async () => {
    const [intent] = ofType(await recordsOf(runtime.reader), "execution.intent");
    const text = JSON.stringify([intent?.actor?.principal, intent?.body.tool, intent?.body.facts]);
    expect(intent?.body.input_sha256).toBe(createHash("sha256").update(text).digest("hex"));
  });
});

it("a capability with a mark that would not be found is not registered", async () => {
  const wrong = capability("wrong", () => ({}), {
    input: { ...manifestOf("wrong").input, $defs: { hidden: SECRET } },
  });
  const other = new Home();
  await expect(other.start({ capabilities: [wrong] })).rejects.toMatchObject({
    code: "FEMTO_CONFIG_INVALID",
    message: expect.stringContaining("a mark stands where no value would be found") as string,
  });
  other.remove();
});
