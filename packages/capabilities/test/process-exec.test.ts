import { chmodSync, existsSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_CHILD_LIMITS } from "@femtoclaw/sandbox";
import { describe, expect, it } from "vitest";
import { capability, NO_TERMINALS, Playground } from "./playground.ts";

describe("process_exec", () => {
  it("runs a program and gives what it said", async () => {
    using place = new Playground();
    const argv = ["-c", "cat; echo err >&2; echo $X; pwd; exit 3"];
    const outcome = await place.call("process_exec", { bin: "sh", argv, stdin: "in ", env: { X: "set" }, cwd: "out" });
    expect(outcome).toEqual({
      event: "succeeded",
      sandbox: "bubblewrap",
      result: {
        exit_code: 3,
        signal: null,
        stdout: `in set\n${join(place.workspace, "out")}\n`,
        stderr: "err\n",
        truncated: false,
        duration_ms: expect.any(Number),
        sandbox: "bubblewrap",
      },
    });
  });

  it("runs a pipeline in one folder, with one environment, and says how each program ended", async () => {
    using place = new Playground();
    const pipeline = [
      { bin: "sh", argv: ["-c", "pwd; echo $X; cat; exit 2"] },
      { bin: "sed", argv: ["s/^/> /"] },
    ];
    const outcome = await place.call("process_exec", { pipeline, stdin: "in", env: { X: "set" }, cwd: "out" });
    expect(outcome).toMatchObject({
      event: "succeeded",
      result: {
        exit_code: 0,
        signal: null,
        stdout: `> ${join(place.workspace, "out")}\n> set\n> in`,
        stages: [
          { exit_code: 2, signal: null },
          { exit_code: 0, signal: null },
        ],
      },
    });
  });

  it("says which limit a program came up against", async () => {
    using place = new Playground();
    const limits = { child: { ...DEFAULT_CHILD_LIMITS, fileBytes: 1_000 } };
    const argv = ["if=/dev/zero", "of=out/large", "bs=2000", "count=1"];
    expect(await place.call("process_exec", { bin: "dd", argv }, { limits })).toMatchObject({
      event: "succeeded",
      result: { exceeded: ["file_bytes"] },
    });
  });

  it("refuses a stage that changed after the decision", async () => {
    using place = new Playground();
    const bin = join(place.root, "bin");
    mkdirSync(bin);
    const tool = join(bin, "tool");
    writeFileSync(tool, "#!/bin/sh\ncat\n");
    chmodSync(tool, 0o755);
    place.authority = { ...place.authority, searchPath: ["/usr/bin", bin], childRead: [bin] };
    const pipeline = [{ bin: "touch", argv: ["out/ran"] }, { bin: "tool" }];
    const decide = (): boolean => {
      writeFileSync(tool, "#!/bin/sh\necho evil\n");
      utimesSync(tool, 1, 1);
      return true;
    };
    expect(await place.call("process_exec", { pipeline }, { decide })).toMatchObject({ code: "FEMTO_FILE_CHANGED" });
    expect(existsSync(join(place.workspace, "out/ran"))).toBe(false);
  });

  it("replaces bytes that are no text", async () => {
    using place = new Playground();
    const outcome = await place.call("process_exec", { bin: "printf", argv: ["a\\377b"] });
    expect(outcome).toMatchObject({ result: { stdout: "a\ufffdb" } });
  });

  it("stops at the lower of both times", async () => {
    using place = new Playground();
    const call = { bin: "sleep", argv: ["60"] };
    const timedOut = { event: "timedOut", code: "FEMTO_CAPABILITY_TIMED_OUT" };
    expect(await place.call("process_exec", { ...call, timeout_ms: 200 })).toMatchObject({
      ...timedOut,
      reason: expect.stringContaining("200 ms"),
    });
    const limits = { timeoutMs: 100, outputBytes: 1_000 };
    expect(await place.call("process_exec", { ...call, timeout_ms: 60_000 }, { limits })).toMatchObject(timedOut);
  });

  it("bounds the output", async () => {
    using place = new Playground();
    const limits = { timeoutMs: 10_000, outputBytes: 1_000 };
    const outcome = await place.call("process_exec", { bin: "yes" }, { limits });
    expect(outcome).toMatchObject({
      event: "succeeded",
      result: { truncated: true, exit_code: null, signal: "SIGKILL" },
    });
  });

  it("is cancelled", async () => {
    using place = new Playground();
    const outcome = await place.call(
      "process_exec",
      { bin: "sleep", argv: ["60"] },
      { signal: AbortSignal.timeout(150) },
    );
    expect(outcome).toMatchObject({ event: "cancelled", code: "FEMTO_CAPABILITY_CANCELLED" });
    const before = await place.call("process_exec", { bin: "touch", argv: ["out/x"] }, { signal: AbortSignal.abort() });
    expect(before).toMatchObject({ event: "cancelled" });
  });

  it("does not run without a sandbox", async () => {
    using place = new Playground();
    const taken = await place.facts("process_exec", { bin: "true" });
    if (!taken.ok) throw new Error(taken.reason);
    await using bound = taken.bound;
    const { signal } = new AbortController();
    const limits = { timeoutMs: 1_000, outputBytes: 1_000, child: DEFAULT_CHILD_LIMITS };
    const reached = {
      id: "e",
      kept: [],
      turn: () => null,
      mayReach: () => false,
      connect: null,
      trafficAt: () => ({ connections: 0, refused: 0, bytesOut: 0, bytesIn: 0 }),
      withoutSecrets: (text: string) => text,
      goOn: async () => ({ ok: false, reason: "no gate" }) as const,
    };
    const call = {
      args: { bin: "true" },
      bound,
      signal,
      limits,
      authority: place.authority,
      sandbox: null,
      ...reached,
      terminals: NO_TERMINALS,
    };
    expect(await capability("process_exec").execute(call)).toMatchObject({
      event: "failed",
      code: "FEMTO_SANDBOX_UNAVAILABLE",
    });
  });

  it("refuses a program that changed after the decision", async () => {
    using place = new Playground();
    const bin = join(place.root, "bin");
    mkdirSync(bin);
    const tool = join(bin, "tool");
    writeFileSync(tool, "#!/bin/sh\necho good\n");
    chmodSync(tool, 0o755);
    place.authority = { ...place.authority, searchPath: ["/usr/bin", bin], childRead: [bin] };
    expect(await place.call("process_exec", { bin: "tool" })).toMatchObject({ result: { stdout: "good\n" } });
    const decide = (): boolean => {
      writeFileSync(tool, "#!/bin/sh\necho evil\n");
      utimesSync(tool, 1, 1);
      return true;
    };
    expect(await place.call("process_exec", { bin: "tool" }, { decide })).toMatchObject({ code: "FEMTO_FILE_CHANGED" });
  });

  it("refuses a program that children can write to", async () => {
    using place = new Playground();
    chmodSync(place.file("out/tool", "#!/bin/sh\necho mine\n"), 0o755);
    place.authority = { ...place.authority, searchPath: ["/usr/bin", join(place.workspace, "out")] };
    expect(await place.call("process_exec", { bin: "tool" })).toMatchObject({
      event: "failed",
      code: "FEMTO_SANDBOX_UNAVAILABLE",
    });
  });

  it("says what the system refused", async () => {
    using place = new Playground();
    const outcome = await place.call("process_exec", {
      bin: "true",
      argv: Array.from({ length: 40 }, () => "x".repeat(131_000)),
    });
    expect(outcome).toMatchObject({
      event: "failed",
      code: "FEMTO_OS_REFUSED",
      reason: expect.stringContaining("E2BIG"),
      fix: expect.stringContaining("shorter arguments"),
    });
  });
});
