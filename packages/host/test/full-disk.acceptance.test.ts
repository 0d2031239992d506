/** A host whose state directory is on a disk that others fill, its own log included. */
import { MARGIN_BYTES, RESERVE_BYTES } from "@femtoclaw/journal";
import type { Reply } from "@femtoclaw/protocol";
import type { RuntimeStatus } from "@femtoclaw/runtime";
import { HAS_SMALL_DISK, SmallDisk } from "@femtoclaw/testing";
import { describe, expect, it, vi } from "vitest";
import { CONFIGURATION, Playground } from "./playground.ts";

/** Time in which a host notices that there is room again. */
const NOTICE_MS = 120_000;

interface Finding {
  readonly check: string;
  readonly verdict: string;
}

async function diskFinding(playground: Playground): Promise<Finding | undefined> {
  const { value } = await playground.json<Finding[]>(["doctor"]);
  return value.find(({ check }) => check === "disk");
}

/** Makes calls until one is not carried out, and says what became of that. */
async function untilRefused(playground: Playground, tool: string, args: Record<string, string>): Promise<Reply> {
  let reply = await playground.propose(tool, args);
  while (reply.status === "completed") reply = await playground.propose(tool, args);
  return reply;
}

/** Calls are carried out again. */
async function untilTaken(playground: Playground): Promise<void> {
  await vi.waitFor(
    async () => expect((await playground.propose("fs_read", { path: "notes.txt" })).status).toBe("completed"),
    { timeout: NOTICE_MS },
  );
}

describe.runIf(HAS_SMALL_DISK)("a host in the background on a disk that is filled", () => {
  it("refuses calls with exit 70, says why, stays up, and goes on when there is room", async () => {
    using disk = new SmallDisk(RESERVE_BYTES + 3 * MARGIN_BYTES);
    await using playground = new Playground(CONFIGURATION.replace('"../state"', `"${disk.path}/state"`));
    const host = await playground.up();
    // The reserve is filled while the host already takes calls.
    await vi.waitFor(
      async () => {
        const { value } = await playground.json<RuntimeStatus>(["status"]);
        expect(value.memory).toMatchObject({ full: null, reserve_bytes: RESERVE_BYTES });
      },
      { timeout: NOTICE_MS },
    );
    expect(await diskFinding(playground)).toMatchObject({ verdict: "ok" });

    disk.fill();
    // The call that found it out may have become durable before its effect was kept from beginning.
    const write = { path: "out/a", content: "x".repeat(5_000), mode: "overwrite" };
    expect((await untilRefused(playground, "fs_write", write)).error?.code).toBe("FEMTO_DISK_FULL");
    const refused = await playground.call("fs_read", { path: "notes.txt" });
    expect([refused.code, refused.value.record]).toEqual([70, null]);
    disk.fill();
    const full = await playground.run(["status"]);
    expect(full.stdout).toMatch(/disk +full, no calls are taken/);
    expect(await diskFinding(playground)).toMatchObject({ verdict: "warn" });

    disk.clear();
    await untilTaken(playground);
    expect((await playground.call("fs_read", { path: "notes.txt" })).code).toBe(0);
    expect((await playground.json<RuntimeStatus>(["status"])).value.pid).toBe(host.pid);
    expect((await playground.run(["status"])).stdout).toMatch(/disk +\d+ MiB free, 128 MiB in reserve/);
    expect((await playground.run(["down"])).code).toBe(0);
    const verified = await playground.run(["audit", "verify"]);
    expect([verified.code, verified.stderr]).toEqual([0, ""]);
  });

  it("says so where its reserve was filled as well and a record waits for room, and is stopped", async () => {
    using disk = new SmallDisk(RESERVE_BYTES + 3 * MARGIN_BYTES);
    await using playground = new Playground(CONFIGURATION.replace('"../state"', `"${disk.path}/state"`));
    const host = await playground.up();
    disk.fill();
    await untilRefused(playground, "fs_read", { path: "notes.txt" });
    // Whoever fills the disk takes the room that the host has given up, too.
    disk.fill();
    // The room left in the last block of a file takes a few small records, so records are made until one has to wait.
    const waiting: Promise<unknown>[] = [];
    const changeMore = (): void => {
      const verb = waiting.length % 2 === 0 ? "disable" : "enable";
      waiting.push(playground.run(["capabilities", verb, "fs_write"]));
    };
    changeMore();
    const refused = await playground.call("fs_read", { path: "notes.txt" });
    expect([refused.code, refused.value.error?.code]).toEqual([70, "FEMTO_DISK_FULL"]);
    await vi.waitFor(
      async () => {
        changeMore();
        const looked = await playground.run(["status"]);
        expect([looked.code, looked.stdout]).toEqual([70, expect.stringMatching(/disk +full, no calls are taken/)]);
      },
      { timeout: NOTICE_MS },
    );
    expect((await playground.run(["down"])).code).toBe(0);
    await Promise.all([host.ended, ...waiting]);
    disk.clear();
    await playground.up();
    expect((await playground.run(["audit", "verify"])).code).toBe(0);
  });

  it("is not called ready where it comes up without room for its reserve", async () => {
    using disk = new SmallDisk(1_048_576);
    await using playground = new Playground(CONFIGURATION.replace('"../state"', `"${disk.path}/state"`));
    const { code, stdout, stderr } = await playground.run(["up", "--detach"]);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^up, but takes no calls: process \d+, /),
    });
    expect(stderr.split("\n")).toEqual([
      "warning: FEMTO_DISK_FULL: the journal's disk is full: its 128 MiB of reserve do not fit on the disk",
      "  fix: Free space on the disk of the state directory. Once that is mended, the host takes calls by itself.",
      "",
    ]);
    expect((await playground.run(["down"])).code).toBe(0);
    const again = await playground.up();
    expect(again.ready).toMatchObject({ event: "ready", state: "idle", not_ready: { code: "FEMTO_DISK_FULL" } });
    expect((await playground.run(["down"])).code).toBe(0);
  });

  it("is stopped there in order, and comes up again", async () => {
    using disk = new SmallDisk(RESERVE_BYTES + 3 * MARGIN_BYTES);
    await using playground = new Playground(CONFIGURATION.replace('"../state"', `"${disk.path}/state"`));
    await playground.up();
    disk.fill();
    await untilRefused(playground, "fs_read", { path: "notes.txt" });
    expect((await playground.run(["down"])).code).toBe(0);
    await playground.up();
    expect((await playground.call("fs_read", { path: "notes.txt" })).code).toBe(70);
    disk.clear();
    await untilTaken(playground);
    expect((await playground.run(["down"])).code).toBe(0);
  });
});
