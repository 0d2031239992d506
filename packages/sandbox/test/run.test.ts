import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DEFAULT_CHILD_LIMITS, probeSandbox, type SandboxResult, viewOf } from "../src/index.ts";
import { everything, grants, type Playground, playground, programOf, run } from "./playground.ts";

const HANDLES_TERM = "$SIG{TERM} = sub { print 'bye'; exit 3 }; $| = 1; print 'up'; sleep 60";
const IGNORES_TERM = "$SIG{TERM} = 'IGNORE'; $| = 1; print 'up'; sleep 60 while 1";

/** Of bubblewrap, whose arguments name what a child sees, and of its programs. */
const processesIn = (folder: string): string[] =>
  readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(folder);
    } catch {
      return false;
    }
  });

/** With an end to its time that lets it begin, on a machine that takes long for that, too. */
async function runUntilUp(place: Playground, program: string): Promise<SandboxResult> {
  for (let timeoutMs = 500; ; timeoutMs *= 2) {
    const result = await run(place, ["perl", "-e", program], { timeoutMs });
    if (result.stdout.length > 0) return result;
  }
}

describe("runSandboxed", () => {
  it("gives output, input, exit code and folder of a program", async () => {
    using place = playground();
    const result = await run(place, ["sh", "-c", "cat; pwd >&2; exit 7"], { stdin: Buffer.from("in\0put") });
    expect(result).toMatchObject({ exitCode: 7, signal: null, truncated: false, timedOut: false, cancelled: false });
    expect(result.stdout.toString()).toBe("in\0put");
    expect(result.stderr.toString().trim()).toBe(place.workspace);
  });

  it.each(["/", "/etc"])("starts where the whole of %s may be read, with the links that it holds", async (folder) => {
    using place = playground(({ workspace }) => ({ allow: { read: grants(folder, workspace), write: [], run: [] } }));
    expect(await run(place, ["cat", "/etc/passwd"])).toMatchObject({ exitCode: 0 });
  });

  it("takes much input and gives much output", async () => {
    using place = playground();
    const stdin = Buffer.alloc(900_000, "x");
    expect((await run(place, ["cat"], { stdin })).stdout.equals(stdin)).toBe(true);
  });

  it("is not disturbed by a program that does not read its input", async () => {
    using place = playground();
    expect(await run(place, ["true"], { stdin: Buffer.alloc(900_000) })).toMatchObject({ exitCode: 0 });
  });

  it("calls a multi-call program by the name the caller used", async () => {
    using place = playground();
    const result = await run(place, ["awk", "BEGIN { print 6 * 7 }"]);
    expect(result.stdout.toString()).toBe("42\n");
  });

  it("names the signal that ended the program", async () => {
    using place = playground();
    expect(await run(place, ["sh", "-c", "kill -SEGV $$"])).toMatchObject({ exitCode: 139, signal: "SIGSEGV" });
  });

  it("asks a program to end when its time is over, and takes what it still says", async () => {
    using place = playground();
    const result = await runUntilUp(place, HANDLES_TERM);
    expect(result).toMatchObject({ exitCode: 3, timedOut: true, cancelled: false });
    expect(result.stdout.toString()).toBe("upbye");
  });

  it("kills a program that does not end when asked", async () => {
    using place = playground();
    const result = await runUntilUp(place, IGNORES_TERM);
    expect(result).toMatchObject({ exitCode: null, signal: "SIGKILL", timedOut: true });
    expect(result.stdout.toString()).toBe("up");
  });

  it("cancels, before the start too", async () => {
    using place = playground();
    const controller = new AbortController();
    const running = run(place, ["perl", "-e", HANDLES_TERM.replace("print 'up'", "mkdir 'out/up'")], {
      signal: controller.signal,
    });
    await expect.poll(() => existsSync(join(place.workspace, "out/up"))).toBe(true);
    controller.abort();
    expect(await running).toMatchObject({ exitCode: 3, cancelled: true, timedOut: false });
    expect(await run(place, ["touch", "out/file"], { signal: AbortSignal.abort() })).toMatchObject({ cancelled: true });
  });

  it("can be cancelled at any moment of its start", async () => {
    using place = playground();
    await Promise.all(
      Array.from({ length: 20 }, async (_, delayMs) => {
        const result = await run(place, ["sleep", "61"], { signal: AbortSignal.timeout(2 * delayMs + 1) });
        expect(result.cancelled).toBe(true);
      }),
    );
    // Bubblewrap that was killed early has not yet told its process 1 to die with it.
    await expect.poll(() => processesIn(place.workspace)).toEqual([]);
  });

  it("bounds output: cuts it and kills the program", async () => {
    using place = playground();
    const result = await run(place, ["sh", "-c", "yes & yes >&2"], { outputBytesMax: 100_000 });
    expect(result).toMatchObject({ truncated: true, exitCode: null, signal: "SIGKILL", timedOut: false });
    expect(result.stdout.length + result.stderr.length).toBe(100_000);
  });

  it("keeps output that just fits", async () => {
    using place = playground();
    const result = await run(place, ["head", "-c", "1000", "/dev/zero"], { outputBytesMax: 1_000 });
    expect(result).toMatchObject({ truncated: false, exitCode: 0 });
  });

  it("does not wait for what the program left running", async () => {
    using place = playground();
    const result = await run(place, ["sh", "-c", "sleep 60 & echo done"]);
    expect(result).toMatchObject({ exitCode: 0, timedOut: false });
    expect(result.stdout.toString()).toBe("done\n");
  });

  it("tells a sandbox that fails from a program that fails", async () => {
    using place = playground();
    const view = viewOf(place.authority);
    const command = { ...programOf("true"), args: [], cwd: place.workspace, environment: {} };
    const broken = { ...view, mounts: [...view.mounts, { kind: "readOnly", path: "/nonexistent" }] } as typeof view;
    const unavailable = expect.objectContaining({ code: "FEMTO_SANDBOX_UNAVAILABLE" });
    await expect(run(place, [], { view: broken, command })).rejects.toEqual(unavailable);
    const missing = { ...view, rung: { name: "bubblewrap", program: "/nonexistent", shell: "/bin/sh" } } as const;
    await expect(run(place, [], { view: missing, command })).rejects.toEqual(unavailable);
    const gone = { ...command, program: "/usr/bin/no-such-program" };
    await expect(run(place, [], { view, command: gone })).rejects.toEqual(unavailable);
    await expect(run(place, [], { view, command: { ...command, cwd: `${place.workspace}/none` } })).rejects.toEqual(
      unavailable,
    );
    expect(await run(place, ["sh", "-c", "echo 'bwrap: no' >&2; exit 1"])).toMatchObject({ exitCode: 1 });
  });

  it("says so when the system takes no arguments of that size", async () => {
    using place = playground();
    await expect(run(place, ["true", "x".repeat(200_000)])).rejects.toEqual(
      expect.objectContaining({ code: "FEMTO_OS_REFUSED", message: expect.stringContaining("E2BIG") }),
    );
  });

  it("masks what appeared after the view was planned", async () => {
    using place = playground(({ workspace }) => ({
      deny: { read: [{ path: join(workspace, ".env"), source: "test" }], write: [], run: [] },
    }));
    const view = viewOf(place.authority);
    writeFileSync(join(place.workspace, ".env"), "late secret");
    expect(everything(await run(place, ["cat", ".env"], { view }))).not.toContain("late secret");
  });
});

describe("probeSandbox", () => {
  it("finds the sandbox in order, and what bounds children", async () => {
    using place = playground();
    expect(await probeSandbox(place.authority, DEFAULT_CHILD_LIMITS)).toMatchObject({
      ok: true,
      name: "bubblewrap",
      title: expect.stringMatching(/^bubblewrap \d/),
      bounds: {
        by: expect.any(String),
        lacks: expect.arrayContaining([expect.stringContaining("all files together")]),
      },
    });
  });

  it("says what is missing and what helps", async () => {
    using place = playground(() => ({ searchPath: ["/nonexistent"] }));
    expect(await probeSandbox(place.authority, DEFAULT_CHILD_LIMITS)).toMatchObject({
      ok: false,
      fix: expect.stringContaining("Install"),
    });
  });
});
