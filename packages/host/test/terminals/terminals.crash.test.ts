import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CONFIGURATION, Playground, toolCall } from "../playground.ts";

const CONFIGURED = CONFIGURATION.replace(
  "[capabilities]",
  "[capabilities]\nterminal_open = true\nterminal_write = true\nterminal_read = true",
).replace('sleep = ["*"]', 'sleep = ["*"], bash = [{ any = true, unsafe = true }]');

describe("a host that is killed", () => {
  it("leaves nothing of its terminals but the recording, and says at its next start how they ended", async () => {
    await using place = new Playground(CONFIGURED);
    const host = await place.up();
    const marks = [1, 2, 3].map((n) => `7${Math.floor(Math.random() * 1e9)}.${n}`);
    const [front = "", apart = "", deaf = ""] = marks;
    await using agent = await place.agent();
    const call = (tool: string, args: Readonly<Record<string, unknown>>) =>
      agent.propose(Buffer.from(JSON.stringify(toolCall(tool, args))));
    const opened = await call("terminal_open", { bin: "bash", argv: ["--norc"] });
    const id = String(opened.result?.["terminal_id"]);
    const line = `(trap '' HUP TERM INT; sleep ${deaf}) & setsid sleep ${apart} & echo begun; sleep ${front}\r`;
    await call("terminal_write", { terminal_id: id, data: line });
    await expect.poll(() => marks.every((mark) => isRunning(mark))).toBe(true);
    // What was shown is recorded a while later.
    const recording = async () => (await place.run(["terminal", "export", id])).stdout;
    await expect.poll(recording).toContain("begun\\r\\n");
    host.kill("SIGKILL");
    await host.ended;
    await expect.poll(() => marks.some((mark) => isRunning(mark))).toBe(false);

    const next = await place.up();
    const { value: listed } = await place.json<unknown[]>(["terminal", "list"]);
    expect(listed).toEqual([]);
    const exported = await place.run(["terminal", "export", id]);
    expect(exported.stdout).toContain("begun");
    expect(exported.stdout.trimEnd().split("\n").at(-1)).toMatch(/"x","255"\]$/);
    next.kill("SIGTERM");
    await next.ended;
    expect((await place.run(["replay", "--recompute"])).code).toBe(0);
  });
});

function isRunning(text: string): boolean {
  return readdirSync("/proc").some((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, "utf8").includes(`sleep\0${text}`);
    } catch {
      // It has ended since the folder was listed.
      return false;
    }
  });
}
