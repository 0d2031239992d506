/** A capability that needs the sandbox is enabled where there is one, and nowhere else. */
import { mkdirSync } from "node:fs";
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
    await runtime.switchCapability("process_exec", true, "operator");
    expect(runtime.status().sandbox).toMatch(/^bubblewrap /);
    const reply = await session.propose(hello);
    expect(reply).toMatchObject({ status: "completed", result: { exit_code: 0, stdout: "hello\n" } });
    await runtime.close();
  });
});

describe("a machine without a sandbox", () => {
  it("starts without what needs one, and refuses to enable it", async () => {
    const home = temporaryHome();
    mkdirSync(join(home.root, "bin"));
    const configuration: Configuration = { search_path: [join(home.root, "bin")] };
    const runtime = await home.start({ configuration });
    await expect(runtime.switchCapability("process_exec", true, "operator")).rejects.toMatchObject({
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
