/** Children that the kernel's Landlock confines, alone or in namespaces: what they leave, reach and are refused. */
import { spawn } from "node:child_process";
import { chownSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { viewOf } from "../src/index.ts";
import type { Rung } from "../src/probing/rung.ts";
import { processesBeside } from "../src/probing/rung.ts";
import { marked } from "./landlock/marked.ts";
import { playground, run } from "./playground.ts";
import {
  environmentOf,
  hasLandlock,
  hasNamespaces,
  launcherSays,
  launcherSaysWith,
  OTHER_STRANGER,
  ordinary,
  saidTo,
} from "./stranger.ts";

const ATTACKS = join(import.meta.dirname, "landlock/attacks.ts");
const isRoot = process.getuid?.() === 0;
const ENDED = { timedOut: false, cancelled: false, truncated: false, exceeded: [] };

type Found = Record<string, unknown>;
const attacked = async (by: Rung["name"]): Promise<Found> => (await saidTo(OTHER_STRANGER, ATTACKS, by)) as Found;

describe
  .runIf(hasLandlock)
  .each([
    ["alone", "landlock"] as const,
    ...(hasNamespaces() ? [["in namespaces", "landlock, namespaces"] as const] : []),
  ])("a child under Landlock %s", (_, by) => {
  let found: Found;
  beforeAll(async () => {
    found = await attacked(by);
  });

  it("leaves nothing behind, whatever it begins and however it ends", () => {
    expect(found["leaves processes"]).toEqual({ ...ENDED, exitCode: 5, signal: null, said: "", left: 0 });
    expect(found["is cancelled"]).toMatchObject({ exitCode: null, signal: "SIGKILL", cancelled: true, left: 0 });
    expect(found["forks without an end"]).toMatchObject({ timedOut: true, left: 0 });
    expect(found["loses its guard"]).toMatchObject({ ended: expect.stringMatching(/^it was ended/), left: 0 });
  });

  it("kills nobody but itself", () => {
    expect(found["kills all that it can"]).toEqual({ ...ENDED, exitCode: 137, signal: "SIGKILL", said: "" });
  });

  it("is asked to end, and bounded in what it writes", () => {
    expect(found["ends when it is asked"]).toMatchObject({ exitCode: 3, cancelled: true, said: "ready\nasked\n" });
    expect(found["writes too much"]).toMatchObject({ exitCode: null, truncated: true, said: 1_000 });
    const limited = { exitCode: 153, signal: "SIGXFSZ", exceeded: ["file_bytes"] };
    expect(found["comes up against its limits"]).toMatchObject(limited);
  });

  it("has its own descriptors alone, and cannot forge what is said of it", () => {
    expect(found["has no descriptor but its own"]).toEqual({ ...ENDED, exitCode: 5, signal: null, said: "" });
  });

  it("is a service or a pipeline as in bubblewrap", () => {
    const service = { ended: expect.stringMatching(/^it (ended|was ended)/), said: "heard" };
    expect(found["serves, and ends with its input"]).toEqual(service);
    const stages = [
      { exitCode: 4, signal: null },
      { exitCode: 0, signal: null },
    ];
    expect(found["pipes"]).toEqual({ ...ENDED, exitCode: 0, signal: null, said: "abc\n", stages });
  });

  it("does not see what is denied when it is replaced, and ends when it appears", () => {
    expect(found["sees what is denied replaced"]).toEqual({ ...ENDED, exitCode: 2, signal: null, said: "runs\n" });
    expect(found["sees what is denied appear"]).toMatch(
      /^FEMTO_FILE_CHANGED: .*\/later, which is protected from programs/,
    );
  });

  it("changes nothing that is guarded, denied or hidden in a writable workspace", () => {
    expect(found["changes what is guarded in a writable workspace"]).toEqual({
      said: "",
      kept: [],
      out: ["new"],
      readme: "hellomore\n",
      workspace: [".git", "asked", "deep", "femtoclaw.toml", "kept", "out", "readme", "secrets"],
    });
  });

  it("is not started where its confinement does not hold", () => {
    expect(found["starts where it is told nothing"]).toMatch(/^FEMTO_SANDBOX_UNAVAILABLE: .*filter in force failed/);
    expect(found["is shown what is hidden"]).toMatch(/^FEMTO_SANDBOX_UNAVAILABLE: .*hidden from it$/);
    const refused = found["wants an agent, a host, or files of ours"] as string[];
    expect(refused).toHaveLength(3);
    for (const text of refused) expect(text).toMatch(/^FEMTO_SANDBOX_UNAVAILABLE: .*not confined by Landlock,/);
  });

  it("leaves nothing behind when the host itself is killed", async () => {
    const temporary = mkdtempSync("/tmp/femtoclaw-sandbox-");
    if (isRoot) chownSync(temporary, OTHER_STRANGER, OTHER_STRANGER);
    const mark = `mark-${process.pid}-host`;
    const env = environmentOf(temporary);
    const host = spawn(process.execPath, [ATTACKS, by, mark], { ...ordinary(OTHER_STRANGER), env, stdio: "ignore" });
    // The host itself, the program, and at least one that it began.
    await expect.poll(() => marked(mark).length).toBeGreaterThan(2);
    host.kill("SIGKILL");
    await expect.poll(() => marked(mark)).toEqual([]);
    rmSync(temporary, { recursive: true });
  });

  it("is the user that began it, with no capability, and gains nothing", () => {
    expect(found["is looked at from outside"]).toMatchObject({
      capabilities: Array(4).fill("0".repeat(16)),
      held: ["1", "2"],
      isSameUser: true,
    });
    const { uid = process.getuid?.() } = ordinary(OTHER_STRANGER);
    expect(found["sees whose files are whose, and has its own"]).toMatchObject({ exitCode: 0, said: `${uid}\nown\n` });
  });

  it("has beside it what its control group leaves room for", () => {
    expect(found["is looked at from outside"]).toMatchObject({ beside: processesBeside(by) });
  });

  if (by === "landlock, namespaces") {
    it("is in no namespace of the host but those of its files and its clock", () => {
      const apart = ["cgroup", "ipc", "net", "pid", "user", "uts"];
      expect(found["is looked at from outside"]).toMatchObject({ apart });
    });

    it("ends with its process namespace, whoever else looks after it", () => {
      expect(found["loses what made its namespaces, and nobody looks"]).toBe("none");
    });

    it("begins as many processes as it may, whatever else its user runs", () => {
      expect(found["begins as many processes as it may"]).toMatchObject({ said: "20" });
      // Nor do those count that have ended, and whose parent has, too.
      expect(found["leaves orphans that end"]).toMatchObject({ exitCode: 0, said: "all" });
    });

    it("is not begun by a host with capabilities, which are gone inside", () => {
      const said = found["is looked for by a host with a capability, which it would lose in namespaces"];
      expect(said).toMatch(
        /^bubblewrap \(bwrap\) is in none of .*; Landlock does not work either: the host has capabilities/,
      );
    });

    it("is not started where one of its namespaces is not made any more", () => {
      const [fails, none, ...others] = found["starts where namespaces cannot be made any more"] as string[];
      const start = "FEMTO_SANDBOX_UNAVAILABLE: landlock, namespaces did not start the program: ";
      expect(fails).toBe(`${start}it gave no reason`);
      const isHosts = (name: string): string => `${start}the program would be in the host's own namespace (${name})`;
      expect(none).toBe(isHosts("user"));
      expect(others).toEqual(["pid", "ipc", "net", "uts", "cgroup"].map(isHosts));
    });
  }
});

describe.runIf(hasLandlock)("what becomes a child under Landlock", () => {
  it("is not begun without what reaches Landlock", () => {
    expect(launcherSays("--no-experimental-ffi")).toMatch(/^\{"fault":"this Node.js has no node:ffi/);
  });

  it.runIf(isRoot)(
    "is begun for who may only inherit a capability, as services of a user, and not for who has one",
    () => {
      expect(launcherSaysWith("--inh-caps=+wake_alarm")).toContain('"abi"');
      const ambient = launcherSaysWith("--inh-caps=+wake_alarm", "--ambient-caps=+wake_alarm");
      expect(ambient).toContain("the host has capabilities");
    },
  );

  it.runIf(isRoot).each(["landlock", "landlock, namespaces"] as const)("is never root under %s", async (by) => {
    using place = playground();
    const view = viewOf(place.authority, undefined, undefined, null, by);
    await expect(run(place, ["true"], { view })).rejects.toMatchObject({
      code: "FEMTO_SANDBOX_UNAVAILABLE",
      message: expect.stringContaining("the host is root"),
    });
  });
});
