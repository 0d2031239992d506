/** The witness that is a program: what it gets, and what it cannot do by failing. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAddCheckpoint } from "@femtoclaw/journal";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CommandWitness } from "../../src/witness/command-witness.ts";
import { OfferedLog } from "./offered-log.ts";

let folder = "";
let log: OfferedLog;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "femtoclaw-command-"));
  log = await (await OfferedLog.open()).grow(9);
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const shell = (script: string) => new CommandWitness("program", ["/bin/sh", "-c", script, "sh", folder]);

describe("a witness command", () => {
  it("gets the request on stdin, with a proof from what it took before, and takes it by exiting with 0", async () => {
    const witness = shell('cat > "$1/request"');
    const first = await log.offer();
    expect(await witness.take(first)).toEqual({ taken: true, note: first.note });
    expect(readFileSync(join(folder, "request"), "utf8")).toBe(`old 0\n\n${first.note}`);
    await log.grow(300);
    await witness.take(await log.offer(10));
    const request = parseAddCheckpoint(readFileSync(join(folder, "request"), "utf8"));
    expect(request?.oldSize).toBe(10);
    expect(request?.proof.length).toBeGreaterThan(3);
  });

  it("sees none of the host's variables", async () => {
    process.env["FEMTOCLAW_TEST_SECRET"] = "hunter2";
    try {
      // The shell sets a few of its own.
      await shell('/usr/bin/env > "$1/env"; pwd > "$1/cwd"').take(await log.offer());
    } finally {
      delete process.env["FEMTOCLAW_TEST_SECRET"];
    }
    const names = readFileSync(join(folder, "env"), "utf8")
      .trim()
      .split("\n")
      .map((line) => line.split("=")[0]);
    expect(names.filter((name) => !["PWD", "SHLVL", "_", "OLDPWD"].includes(name ?? ""))).toEqual([]);
    expect(readFileSync(join(folder, "cwd"), "utf8")).toBe("/\n");
  });

  it.each([
    ["exits with 1", "echo out of ink >&2; exit 1", "ended with 1: out of ink"],
    ["is killed", "kill -9 $$", "ended with SIGKILL"],
    ["talks without end", "head -c 3000000 /dev/zero | tr '\\0' x >&2; exit 3", "ended with 3: xxx"],
  ])("that %s has not taken it", async (_, script, words) => {
    const answer = await shell(script).take(await log.offer());
    expect(answer).toMatchObject({ taken: false, contradicts: false, reason: expect.stringContaining(words) });
    expect(JSON.stringify(answer).length).toBeLessThan(1_000);
  });

  it("that does not read its input may take it nevertheless", async () => {
    expect(await shell("exit 0").take(await (await log.grow(1)).offer())).toMatchObject({ taken: true });
  });

  it("that does not exist has not taken it", async () => {
    const witness = new CommandWitness("none", [join(folder, "none")]);
    await expect(witness.take(await log.offer())).rejects.toThrow("ENOENT");
  });

  it("that outlasts its time is killed with all that it started", async () => {
    const time = new AbortController();
    const script = 'sleep 600 & echo $! > "$1/child.new"; mv "$1/child.new" "$1/child"; wait';
    const answer = shell(script).take(await log.offer(0, time.signal));
    let child = 0;
    while (child === 0) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      try {
        child = Number(readFileSync(join(folder, "child"), "utf8"));
      } catch {
        // It has not come so far.
      }
    }
    time.abort();
    expect(await answer).toMatchObject({ taken: false, reason: expect.stringContaining("SIGKILL") });
    await expect.poll(() => isAlive(child)).toBe(false);
  });

  it("that left something running behind its exit ends it, too", async () => {
    await shell('sleep 600 >/dev/null 2>&1 & echo $! > "$1/child"').take(await log.offer());
    await expect.poll(() => isAlive(Number(readFileSync(join(folder, "child"), "utf8")))).toBe(false);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}
