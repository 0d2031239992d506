import { describe, expect, it } from "vitest";
import { CONFIGURATION, Playground, toolCall } from "../playground.ts";
import { isSleeping, uniqueSeconds } from "./running-sleep.ts";

const CONFIGURED = CONFIGURATION.replace(
  "[capabilities]",
  "[capabilities]\nterminal_open = true\nterminal_write = true\nterminal_read = true",
).replace('sleep = ["*"]', 'sleep = ["*"], bash = [{ any = true, unsafe = true }]');

describe("a host that is killed", () => {
  it("leaves nothing of its terminals but the recording, and says at its next start how they ended", async () => {
    await using place = new Playground(CONFIGURED);
    const host = await place.up();
    const [front, apart, deaf] = [uniqueSeconds(), uniqueSeconds(), uniqueSeconds()];
    const all = [front, apart, deaf];
    await using agent = await place.agent();
    const call = (tool: string, args: Readonly<Record<string, unknown>>) =>
      agent.propose(Buffer.from(JSON.stringify(toolCall(tool, args))));
    const opened = await call("terminal_open", { bin: "bash", argv: ["--norc"] });
    const id = String(opened.result?.["terminal_id"]);
    const line = `(trap '' HUP TERM INT; sleep ${deaf}) & setsid sleep ${apart} & echo begun; sleep ${front}\r`;
    await call("terminal_write", { terminal_id: id, data: line });
    await expect.poll(() => all.every(isSleeping)).toBe(true);
    // What was shown is recorded a while later.
    const recording = async () => (await place.run(["terminal", "export", id])).stdout;
    await expect.poll(recording).toContain("begun\\r\\n");
    host.kill("SIGKILL");
    await host.ended;
    await expect.poll(() => all.some(isSleeping)).toBe(false);

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
