/** A capability that needs the sandbox is enabled where there is one, and nowhere else. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Configuration } from "@femtoclaw/protocol";
import { describe, expect, it } from "vitest";
import { call, temporaryHome } from "../runtime-fixture.ts";

const ECHO: Configuration = { search_path: ["/usr/bin", "/bin"], allow: { read: ["."], run: { echo: ["hello"] } } };

describe("a machine with a sandbox", () => {
  it("is examined when the first capability that needs it is enabled", async () => {
    const runtime = await temporaryHome().start({ configuration: ECHO });
    const session = runtime.openSession({ channel: "library" });
    const hello = call("process_exec", { bin: "echo", argv: ["hello"] });
    expect(await session.propose(hello)).toMatchObject({ error: { code: "FEMTO_CAPABILITY_DISABLED" } });
    expect(runtime.status().sandbox).toBeNull();
    await runtime.switchCapability({ name: "process_exec", enabled: true, by: "operator" });
    expect(runtime.status().sandbox).toMatch(/^bubblewrap /);
    const reply = await session.propose(hello);
    expect(reply).toMatchObject({ status: "completed", result: { exit_code: 0, stdout: "hello\n" } });
    await runtime.close();
  });
});

describe("what a start tries ahead", () => {
  it("counts for that start alone: what an operator switched off and on again is tried anew", async () => {
    const home = temporaryHome();
    const configuration = { ...ECHO, capabilities: { process_exec: true } };
    const before = await home.start({ configuration });
    expect(before.status().sandbox).toMatch(/^bubblewrap /);
    await before.switchCapability({ name: "process_exec", enabled: false, by: "operator" });
    await before.close();
    const runtime = await home.start({ configuration });
    expect(runtime.status().sandbox).toBeNull();
    await runtime.switchCapability({ name: "process_exec", enabled: true, by: "operator" });
    expect(runtime.status().sandbox).toMatch(/^bubblewrap /);
    await runtime.close();
  });

  it("is told of after the journal, which is looked at first", async () => {
    const home = temporaryHome();
    mkdirSync(join(home.root, "bin"));
    await (await home.start()).close();
    writeFileSync(join(home.state, "journal/CURRENT"), "nothing\n");
    const configuration = { search_path: [join(home.root, "bin")], capabilities: { process_exec: true } };
    await expect(home.start({ configuration })).rejects.toMatchObject({ code: "FEMTO_JOURNAL_CORRUPT" });
  });
});

describe("a machine without a sandbox", () => {
  it("starts without what needs one, and refuses to enable it", async () => {
    const home = temporaryHome();
    mkdirSync(join(home.root, "bin"));
    const configuration: Configuration = { search_path: [join(home.root, "bin")] };
    const runtime = await home.start({ configuration });
    await expect(
      runtime.switchCapability({ name: "process_exec", enabled: true, by: "operator" }),
    ).rejects.toMatchObject({
      code: "FEMTO_SANDBOX_UNAVAILABLE",
      message: expect.stringContaining("process_exec cannot be confined"),
    });
    expect(runtime.tools()).toEqual([]);
    expect(runtime.projection.overrides).toEqual({});
    await runtime.close();
    await expect(
      home.start({ configuration: { ...configuration, capabilities: { process_exec: true } } }),
    ).rejects.toMatchObject({ code: "FEMTO_SANDBOX_UNAVAILABLE" });
  });
});
