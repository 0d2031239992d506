/** Messages that two parsers could read in two ways, or none at all. */
import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { argumentsText, MESSAGE_BYTES_MAX, readMessage } from "../src/incoming.ts";

const call = (params: string): string => `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":${params}}`;

/** What the handler of a tool call would hand on. */
function handedOn(text: string): string {
  const read = readMessage(Buffer.from(text));
  if (!read.ok) throw new Error(JSON.stringify(read.response));
  const { params } = read.message as { params: { arguments?: Record<string, unknown> } };
  return argumentsText(params.arguments);
}

describe("arguments are handed on as they were written", () => {
  test.each([
    ["a key twice", '{"path":"a","path":"b"}'],
    ["a prototype", '{"__proto__":{"path":"x"}}'],
    ["a number that no double holds", '{"n":9007199254740993,"m":1e999,"k":1.10}'],
    ["half of a surrogate pair", '{"p":"\\ud800"}'],
    ["escapes", '{"p":"\\u0061\\/\\u202e"}'],
    ["spaces", '{ "p" :\t[ 1 ,\n2 ]\r}'],
    ["what a handler looks for", '{"dev.femtoclaw/as-written":"{}"}'],
    ["no object", '["rm"]'],
    ["brackets in texts", '{"p":"}]{[\\"}","q":"\\\\"}'],
    ["deep nesting", `${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}`],
    ["null", "null"],
  ])("%s", (_name, args) => {
    expect(handedOn(call(`{"name":"x","arguments":${args}}`))).toBe(args);
    expect(handedOn(call(`{"argu\\u006dents":${args},"name":"x"}`))).toBe(args);
  });

  test("none are an empty object", () => {
    expect(handedOn(call('{"name":"x"}'))).toBe("{}");
    expect(handedOn(call('{"name":"x","meta":{"arguments":{"a":1}}}'))).toBe("{}");
  });
});

describe("what is no message is answered with the id where there is one", () => {
  test.each([
    ["no JSON", "nonsense", null, -32700],
    ["nothing", "", null, -32700],
    ["a byte order mark", `\ufeff${call('{"name":"x"}')}`, null, -32700],
    ["a batch", `[${call('{"name":"x"}')}]`, null, -32600],
    ["a text", '"x"', null, -32600],
    ["null", "null", null, -32600],
    ["no version", '{"id":7,"method":"ping"}', 7, -32600],
    ["another version", '{"jsonrpc":"1.0","id":7,"method":"ping"}', 7, -32600],
    ["a method that is no text", '{"jsonrpc":"2.0","id":7,"method":["ping"]}', 7, -32600],
    ["an id that is an object", '{"jsonrpc":"2.0","id":{},"method":"ping"}', null, -32600],
    ["an id that no double holds", '{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}', null, -32600],
    ["two methods", '{"jsonrpc":"2.0","id":7,"method":"ping","method":"tools/call"}', 7, -32600],
    ["two sets of parameters", call('{"name":"x","arguments":{}},"params":{"name":"y"}'), 7, -32600],
    ["two sets of arguments", call('{"name":"x","arguments":{},"arguments":{"a":1}}'), 7, -32600],
    ["two names of one tool", call('{"name":"fs_read","name":"process_exec"}'), 7, -32600],
    ["a prototype around them", call('{"__proto__":{},"name":"x"}'), 7, -32600],
    ["deep nesting around them", call(`{"name":"x","_meta":${"[".repeat(80)}${"]".repeat(80)}}`), 7, -32600],
    ["half of a surrogate pair", call('{"name":"\\ud800"}'), 7, -32600],
  ])("%s", (_name, text, id, code) => {
    expect(readMessage(Buffer.from(text))).toMatchObject({
      ok: false,
      response: { jsonrpc: "2.0", id, error: { code } },
    });
  });

  test("bytes that are no UTF-8", () => {
    const bytes = Buffer.concat([
      Buffer.from('{"jsonrpc":"2.0","id":1,"method":"'),
      Buffer.from([0xff]),
      Buffer.from('"}'),
    ]);
    expect(readMessage(bytes)).toMatchObject({ ok: false, response: { error: { code: -32700 } } });
  });

  test("a reason shows no control characters", () => {
    const read = readMessage(Buffer.from('{"jsonrpc":"2.0","id":1,"method":"x","\\u001b[2J":1,"\\u001b[2J":2}'));
    expect(JSON.stringify(read)).not.toContain("\\u001b");
  });
});

test("the largest message is read whole, with escapes that make it longer here", () => {
  const args = `{"p":"${"\\u0000".repeat(Math.floor((MESSAGE_BYTES_MAX - 200) / 6))}"}`;
  expect(handedOn(call(`{"name":"x","arguments":${args}}`))).toBe(args);
});
