/** Tools as clients see them: what they promise, and how many there may be. */
import type { ToolDescription } from "@femtoclaw/protocol";
import { fromJsonSchema } from "@modelcontextprotocol/server";
import { expect, test } from "vitest";
import { resultOf } from "../src/results.ts";
import { PAGE_TOOLS, toolPage, WAIT_TOOL } from "../src/tool-list.ts";

const OUTPUT = { type: "object", additionalProperties: false, required: ["n"], properties: { n: { type: "integer" } } };

function tool(name: string, changes: Partial<ToolDescription> = {}): ToolDescription {
  const schemas = { input: { type: "object", additionalProperties: false }, output: OUTPUT };
  return {
    name,
    version: "1.0.0",
    description: `does ${name}`,
    ...schemas,
    effect: "read",
    idempotent: true,
    ...changes,
  };
}

test("ten thousand tools come in pages, each once and in the order of their names", () => {
  const described = Array.from({ length: 10_000 }, (_, index) => tool(`tool_${(index * 7_919) % 10_000}`));
  const names: string[] = [];
  let cursor: string | undefined;
  do {
    const page = toolPage(described, cursor);
    expect(page.tools.length).toBeLessThanOrEqual(PAGE_TOOLS);
    names.push(...page.tools.map(({ name }) => name));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  expect(names).toHaveLength(10_001);
  expect(names).toEqual([...new Set(names)].toSorted());
  expect(toolPage(described, "zzz")).toEqual({ tools: [] });
});

test("hints follow from the effect, and a capability that has the name of ours is not offered", () => {
  const { tools } = toolPage(
    [
      tool("a", { effect: "none" }),
      tool("b", { effect: "write", idempotent: false }),
      tool("c", { effect: "network" }),
      tool(WAIT_TOOL, { description: "theirs" }),
    ],
    undefined,
  );
  expect(tools.map(({ name }) => name)).toEqual(["a", "b", "c", WAIT_TOOL]);
  expect(tools.map(({ annotations }) => annotations?.readOnlyHint)).toEqual([true, false, false, true]);
  expect(tools.map(({ annotations }) => annotations?.destructiveHint)).toEqual([false, true, true, false]);
  expect(tools.map(({ annotations }) => annotations?.openWorldHint)).toEqual([false, false, true, false]);
  expect(tools.at(-1)?.description).not.toBe("theirs");
});

test("every answer matches the schema that was announced for it", async () => {
  const [announced] = toolPage([tool("a")], undefined).tools;
  const schema = fromJsonSchema(announced?.outputSchema as Parameters<typeof fromJsonSchema>[0]);
  const came = { execution_id: "x", record: { seq: 1 }, policy: { revision: "r", rules: ["toml/ask.run/1"] } };
  const timestamp = "2026-01-01T00:00:00.000Z";
  const error = { error_type: "AuthorizationError", code: "FEMTO_X", reason: "no", fix: "else", timestamp } as const;
  const answers = [
    resultOf({ ...came, status: "completed", decision: "AUTHORIZED", result: { n: 1 } }),
    resultOf({ ...came, status: "denied", decision: "DENIED_POLICY_VIOLATION", error }),
    resultOf({ ...came, status: "pending", decision: null, approval: { id: "1", expires_at: timestamp } }),
  ];
  expect(answers.map(({ isError }) => isError ?? false)).toEqual([false, true, false]);
  for (const { structuredContent } of answers) {
    expect(await schema["~standard"].validate(structuredContent)).not.toHaveProperty("issues");
  }
  expect(await schema["~standard"].validate({ n: "1" })).toHaveProperty("issues");
});

test("a schema that points into itself is not put into another one", () => {
  const output = { type: "object", properties: { n: { $ref: "#/$defs/n" } }, $defs: { n: { type: "integer" } } };
  expect(toolPage([tool("a", { output })], undefined).tools[0]).not.toHaveProperty("outputSchema");
});
