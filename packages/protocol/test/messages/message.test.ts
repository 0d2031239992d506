/** What is a message, what is none, and what the sender of one that is none is told. */
import { describe, expect, it } from "vitest";
import { type ErrorCode, LIMITS, parseMessage } from "../../src/index.ts";

const parse = (value: unknown) => parseMessage(Buffer.from(typeof value === "string" ? value : JSON.stringify(value)));
const call = (fields: Record<string, unknown>) => ({ tool_call: { tool: "t", args: {}, ...fields } });

const TAKEN: readonly (readonly [what: string, message: unknown])[] = [
  ["a message", { message: { content: "hello" } }],
  ["an empty message", { message: { content: "" } }],
  ["a message as long as may be", { message: { content: "a".repeat(65_536) } }],
  ["a call without arguments", call({})],
  ["a call with arguments of every kind", call({ args: { a: [1, "x", null, { b: true }] } })],
  ["a call whose name is as long as may be", call({ tool: "t".repeat(128) })],
  ["a call of a name that cannot exist", call({ tool: "constructor" })],
];

const SHAPES: readonly (readonly [what: string, message: unknown, reason: RegExp])[] = [
  ["null", null, /not an object/],
  ["a string", '"text"', /not an object/],
  ["a number", 7, /not an object/],
  ["an array of a message", [{ message: { content: "x" } }], /not an object/],
  ["an empty object", {}, /neither `message` nor `tool_call`/],
  ["another field alone", { tool: "t", args: {} }, /neither `message` nor `tool_call`/],
  ["a field in capitals", { Message: { content: "x" } }, /neither `message` nor `tool_call`/],
  ["both forms", { message: { content: "x" }, ...call({}) }, /ambiguous/],
  ["both forms, one of them null", { message: null, ...call({}) }, /ambiguous/],
  ["a message with a field beside it", { message: { content: "x" }, id: 1 }, /unknown field `\/id`/],
  ["a call with a field beside it", { ...call({}), confirm: true }, /unknown field `\/confirm`/],
  ["a message that is null", { message: null }, /`\/message` must be of type object/],
  ["a message that is a text", { message: "x" }, /`\/message` must be of type object/],
  ["a message without content", { message: {} }, /`\/message` lacks `content`/],
  ["content that is no text", { message: { content: 1 } }, /`\/message\/content` must be of type string/],
  ["content that is too long", { message: { content: "a".repeat(65_537) } }, /`\/message\/content` must NOT have more/],
  ["a message with a role", { message: { content: "x", role: "system" } }, /unknown field `role`/],
  ["a call that is an array", { tool_call: [] }, /`\/tool_call` must be of type object/],
  ["a call without a tool", { tool_call: { args: {} } }, /`\/tool_call` lacks `tool`/],
  ["a call without arguments", { tool_call: { tool: "t" } }, /`\/tool_call` lacks `args`/],
  ["an empty tool", call({ tool: "" }), /`\/tool_call\/tool` must NOT have fewer/],
  ["a tool that is too long", call({ tool: "t".repeat(129) }), /`\/tool_call\/tool` must NOT have more/],
  ["a tool that is a number", call({ tool: 1 }), /`\/tool_call\/tool` must be of type string/],
  ["arguments that are an array", call({ args: [] }), /`\/tool_call\/args` must be of type object/],
  ["arguments that are null", call({ args: null }), /`\/tool_call\/args` must be of type object/],
  ["arguments as JSON in a text", call({ args: "{}" }), /`\/tool_call\/args` must be of type object/],
  ["a call with an approval of its own", call({ approved: true }), /unknown field `approved`/],
];

const TEXTS: readonly (readonly [what: string, text: string, code: ErrorCode])[] = [
  [
    "two tools in one call",
    '{"tool_call":{"tool":"fs_read","tool":"process_exec","args":{}}}',
    "FEMTO_PROTOCOL_DUPLICATE_KEY",
  ],
  ["two calls in one message", '{"tool_call":{},"tool_call":{}}', "FEMTO_PROTOCOL_DUPLICATE_KEY"],
  ["two messages in a row", '{"message":{"content":"a"}}{"message":{"content":"b"}}', "FEMTO_PROTOCOL_SYNTAX"],
  ["half a message", '{"message":{"content":"a', "FEMTO_PROTOCOL_SYNTAX"],
  ["a prototype in the arguments", '{"tool_call":{"tool":"t","args":{"__proto__":{}}}}', "FEMTO_PROTOCOL_SHAPE"],
  ["a number that no one can hold", '{"tool_call":{"tool":"t","args":{"n":1e999}}}', "FEMTO_PROTOCOL_NUMBER"],
  ["a model's prose", "Sure! Here is the call:\n{}", "FEMTO_PROTOCOL_SYNTAX"],
  ["a code fence", "```json\n{}\n```", "FEMTO_PROTOCOL_SYNTAX"],
];

describe("a message", () => {
  it.each(TAKEN)("is %s", (_what, message) => {
    expect(parse(message)).toEqual({ ok: true, message });
  });

  it.each(SHAPES)("is not %s", (_what, message, reason) => {
    const result = parse(message);
    expect(result).toMatchObject({ ok: false, fault: { code: "FEMTO_PROTOCOL_SHAPE" } });
    if (!result.ok) expect(result.fault.reason).toMatch(reason);
  });

  it.each(TEXTS)("is not %s", (_what, text, code) => {
    expect(parse(text)).toMatchObject({ ok: false, fault: { code } });
  });

  it("that is refused names the place", () => {
    expect(parse('{"tool_call":{"tool":"t","args":{"x":nope}}}')).toMatchObject({
      ok: false,
      fault: { reason: "a value is missing (character 37, in `/tool_call/args/x`)" },
    });
  });

  it("with hostile names is refused in a short, visible reason", () => {
    const name = `\u001b]0;owned\u0007\u202e${"x".repeat(300_000)}`;
    const hostile = [
      { [name]: 1, message: { content: "" } },
      { message: { content: "", [name]: 1 } },
      call({ [name]: 1 }),
    ];
    const text = `{"message":{${JSON.stringify(name)}:nope}}`;
    for (const result of [...hostile.map(parse), parse(text)]) {
      expect(result.ok).toBe(false);
      if (result.ok) continue;
      expect(result.fault.reason.length).toBeLessThan(LIMITS.reasonChars);
      expect(result.fault.reason).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    }
  });

  it("that one client sent leaves nothing behind for the next", () => {
    expect(parse({ message: { content: 1 } }).ok).toBe(false);
    expect(parse({ message: { content: "x" } }).ok).toBe(true);
    expect(parse({}).ok).toBe(false);
  });
});
