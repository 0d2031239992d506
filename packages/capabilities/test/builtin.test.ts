import { validateManifest } from "@femtoclaw/protocol";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { builtinCapabilities } from "../src/index.ts";
import { capability } from "./playground.ts";

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
ajv.addVocabulary(["x-secret"]);
const accepts = (tool: string, args: unknown): boolean => ajv.validate(capability(tool).manifest.input, args);

describe("manifests", () => {
  it.each(builtinCapabilities)("of $manifest.name is valid, closed and compiles", ({ manifest }) => {
    expect(validateManifest(manifest), JSON.stringify(validateManifest.errors)).toBe(true);
    expect(manifest.input).toMatchObject({ type: "object", additionalProperties: false });
    expect(manifest.output).toMatchObject({ type: "object", additionalProperties: false });
    ajv.compile(manifest.input);
    ajv.compile(manifest.output);
  });

  it("take what callers send and nothing else", () => {
    expect(
      accepts("process_exec", { bin: "git", argv: ["status"], cwd: ".", env: { LANG: "C" }, stdin: "", timeout_ms: 1 }),
    ).toBe(true);
    expect(accepts("process_exec", { bin: "git", shell: true })).toBe(false);
    expect(accepts("process_exec", { argv: [] })).toBe(false);
    expect(accepts("process_exec", { bin: "x", argv: Array.from({ length: 1_025 }, () => "a") })).toBe(false);
    expect(accepts("process_exec", { bin: "x", env: { "A=B": "c" } })).toBe(false);
    expect(accepts("fs_read", { path: "a", offset: -1 })).toBe(false);
    expect(accepts("fs_write", { path: "a", content: "b", mode: "truncate" })).toBe(false);
    expect(accepts("fs_write", { path: "a", content: "b" })).toBe(false);
    expect(accepts("fs_list", { path: "" })).toBe(false);
  });
});
