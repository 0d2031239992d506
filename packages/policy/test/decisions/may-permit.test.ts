/** What is shown as useless is useless: no rule permits any use of it. */
import { describe, expect, test } from "vitest";
import { compilePolicy, mayPermit } from "../../src/index.ts";
import { any, authorityOf, MANIFESTS } from "../policy-fixture.ts";

const shown = (tables: Parameters<typeof authorityOf>[0]): string[] => {
  const compiled = compilePolicy({ authority: authorityOf(tables), manifests: MANIFESTS });
  return MANIFESTS.map(({ name }) => name).filter((name) => mayPermit(compiled, name));
};

describe("a capability is shown where some rule permits some use of it", () => {
  test.each([
    ["nothing", {}, []],
    ["reading", { read: ["/ws"] }, ["fs_read"]],
    ["writing", { write: ["/ws/out"] }, ["fs_write"]],
    ["programs", { run: [any("/usr/bin/echo")] }, ["process_exec"]],
    ["what is denied as a whole", { denyRead: ["/"], denyRun: [any("/usr/bin/echo")] }, []],
    ["paths that look like rules", { denyRead: ['/permit (principal, action == Action::"fs_read"'] }, []],
  ] as const)("%s", (_name, tables, expected) => {
    const found = shown(tables);
    expect(found.filter((name) => ["fs_read", "fs_write", "process_exec"].includes(name))).toEqual(expected);
  });

  test("after a question too", () => {
    const authority = { ...authorityOf({}), ask: authorityOf({ write: ["/ws/out"] }).allow };
    const compiled = compilePolicy({ authority, manifests: MANIFESTS });
    expect(mayPermit(compiled, "fs_write")).toBe(true);
    expect(mayPermit(compiled, "fs_read")).toBe(false);
  });

  test("by its name alone", () => {
    const tools = [{ name: "clock_now", source: "createRuntime" }];
    const compiled = compilePolicy({ authority: authorityOf({}), manifests: MANIFESTS, tools });
    expect(mayPermit(compiled, "clock_now")).toBe(true);
    expect(mayPermit(compiled, "fs_read")).toBe(false);
  });

  test("wherever a rule in Cedar permits anything, because it may be about all of them", () => {
    const rule = { id: "file/team/own", source: "team.cedar:1:1", reason: "so" };
    const permit = { ...rule, text: 'permit (principal, action, resource) when { resource in Path::"/ws" };' };
    expect(mayPermit({ rules: [permit] }, "anything")).toBe(true);
    expect(mayPermit({ rules: [{ ...rule, text: "forbid (principal, action, resource);" }] }, "anything")).toBe(false);
  });
});
