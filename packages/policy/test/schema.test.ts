import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CONTEXT, policyActions, schemaText } from "../src/schema.ts";
import { BOTH_KINDS, CLOCK, FS_READ, FS_WRITE, MANIFESTS, PROCESS_EXEC } from "./policy-fixture.ts";

interface QuestionSchema {
  readonly required: readonly string[];
  readonly properties: Readonly<Record<string, { readonly type?: string; readonly enum?: readonly string[] }>>;
}

const facts = JSON.parse(readFileSync(new URL("../../../schemas/facts.schema.json", import.meta.url), "utf8")) as {
  readonly $defs: Readonly<Record<string, QuestionSchema>>;
};

/** The mapping from JSON Schema to Cedar, once more and independently. */
function cedarTypes(definition: string, resourceKey: string): Record<string, string> {
  const question = facts.$defs[definition];
  if (question === undefined) throw new Error(`${definition} is gone`);
  const types: Record<string, string> = { boolean: "Bool", integer: "Long", string: "String", array: "Set<String>" };
  return Object.fromEntries(
    Object.entries(question.properties)
      .filter(([key]) => key !== "kind" && key !== resourceKey)
      .map(([key, { type, enum: values }]) => [
        question.required.includes(key) ? key : `${key}?`,
        values === undefined ? types[type ?? ""] : "String",
      ]),
  ) as Record<string, string>;
}

describe("schema", () => {
  it("has in each context exactly what the schema of facts has", () => {
    expect(CONTEXT.Path).toEqual(cedarTypes("pathQuestion", "path"));
    expect(CONTEXT.Program).toEqual(cedarTypes("programQuestion", "program"));
    expect(CONTEXT.Tool).toEqual(cedarTypes("toolQuestion", ""));
  });

  it("follows the declared arguments and not the order of the manifests", () => {
    const text = schemaText(policyActions(MANIFESTS));
    expect(schemaText(policyActions(MANIFESTS.toReversed()))).toBe(text);
    expect(text).toContain(
      'action "clock_now" appliesTo { principal: [Agent], resource: [Tool], context: { "session": Session, "time": datetime, "approved": Bool } };',
    );
    expect(policyActions([FS_WRITE, PROCESS_EXEC, CLOCK, FS_READ])).toEqual([
      { name: "clock_now", resource: "Tool", effect: "none" },
      { name: "fs_read", resource: "Path", effect: "read" },
      { name: "fs_write", resource: "Path", effect: "write" },
      { name: "process_exec", resource: "Program", effect: "execute" },
    ]);
  });

  it("refuses a capability that names two kinds of resource, and two of one name", () => {
    expect(() => policyActions([BOTH_KINDS])).toThrow("both a path and a program");
    expect(() => policyActions([FS_READ, FS_READ])).toThrow("distinct names");
  });
});
