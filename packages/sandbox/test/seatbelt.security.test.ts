/**
 * Seatbelt, as far as it can be tried where there is none: what the profile says, and that a program starts with nothing
 * else than it was given. In the place of macOS's own program stands one that confines nothing, so that whatever the
 * probe would let pass shows.
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { DEFAULT_CHILD_LIMITS, hostInspection, probeSandbox, viewOf, visibilityOf } from "../src/index.ts";
import type { Machine } from "../src/probing/probe.ts";
import { seatbeltScript } from "../src/seatbelt/seatbelt-plan.ts";
import { seatbeltTrial } from "../src/seatbelt/seatbelt-probe.ts";
import { seatbeltProfile } from "../src/seatbelt/seatbelt-profile.ts";
import { inheritedDescriptors } from "../src/views/inspection.ts";
import type { Mount } from "../src/views/mounts.ts";
import type { SandboxView } from "../src/views/view.ts";
import { everything, grants, type Playground, playground, programOf, run } from "./playground.ts";
import { isAllowed } from "./seatbelt/profile-verdict.ts";

const tools = mkdtempSync(join(tmpdir(), "femtoclaw-seatbelt-"));
afterAll(() => rmSync(tools, { recursive: true }));

/** What it was started with, and `then` in the place of confinement. */
function standIn(name: string, then = 'exec "$@"'): string {
  const path = join(tools, name);
  const skip = 'while [ "$1" != -- ]; do shift; done\nshift';
  writeFileSync(path, `#!/bin/sh\n{ printf '%s\\n' "$@"; env; } >>'${path}.told'\n${skip}\n${then}\n`);
  chmodSync(path, 0o755);
  return path;
}

const confinesNothing = standIn("sandbox-exec");
const macWith = (program: string | null): Machine => ({
  platform: "darwin",
  isRoot: false,
  inspection: {
    ...hostInspection,
    findProgram: (name, folders) => (name === "sandbox-exec" ? program : hostInspection.findProgram(name, folders)),
  },
});
const planned = ({ authority }: Playground, program = confinesNothing): SandboxView =>
  viewOf(authority, macWith(program).inspection, undefined, null, "seatbelt");

const HOSTILE = [
  '/ws/a") (allow default) ("',
  "/ws/back\\slash\\",
  "/ws/line\nbreak\n(allow file-read*)",
  "/ws/(literal)",
  "/ws/; comment",
  '/ws/#"^.*"',
  "/ws/$(id)`id`'\"",
  "/ws/PATH_0=x",
  "/ws/\u202eünïcödé",
];

describe("a profile", () => {
  it("holds no word of a path, however the path is spelled", () => {
    const mounts = (paths: readonly string[]): Mount[] => [
      { kind: "readWrite", path: "/ws" },
      ...paths.map(
        (path, index): Mount => ({
          kind: (["readOnly", "maskFile", "readWrite"] as const)[index % 3] ?? "link",
          path,
          target: "",
        }),
      ),
    ];
    const hostile = seatbeltProfile({ mounts: mounts(HOSTILE), assumed: new Map() });
    const tame = seatbeltProfile({ mounts: mounts(HOSTILE.map((_, index) => `/ws/${index}`)), assumed: new Map() });
    expect(hostile.text).toBe(tame.text);
    expect(hostile.text).not.toContain("/ws");
    expect([...hostile.parameters.values()]).toEqual(expect.arrayContaining(HOSTILE));
    expect([...hostile.parameters.keys()].every((name) => /^PATH_\d+$/.test(name))).toBe(true);
  });

  it("says of each path what the view says, and lets nothing protected be moved", () => {
    using place = playground(({ workspace, root }) => ({
      allow: { read: grants(root), write: grants(workspace), run: [] },
      deny: {
        read: grants(join(workspace, "secrets"), join(workspace, "deep/er/secret")),
        write: grants(join(workspace, "kept")),
        run: [],
      },
    }));
    const view = planned(place);
    const profile = seatbeltProfile(view);
    const may = (operation: string, path: string): boolean => isAllowed(profile, operation, path);
    const inside = [
      "readme",
      "out/new",
      "secrets",
      "secrets/key",
      "asked/diary",
      "kept/x",
      "deep/er/secret",
      "deep/er/x",
    ];
    const paths = [...inside.map((name) => join(place.workspace, name)), join(place.workspace, "femtoclaw.toml")];
    const others = ["outside", "state", "state/journal"].map((name) => join(place.root, name));
    for (const path of [...paths, ...others, "/etc/shadow", "/root/x", "/usr/bin/env", "/System/Volumes/Data/x"]) {
      const seen = visibilityOf(view.mounts, path);
      const isShown = seen === "readOnly" || seen === "readWrite";
      expect([path, may("file-read-data", path)]).toEqual([path, isShown]);
      expect([path, may("file-write-data", path)]).toEqual([path, seen === "readWrite"]);
      expect([path, may("process-exec-interpreter", path)]).toEqual([path, seen === "readOnly"]);
      expect([path, may("file-link", path), may("file-clone", path)]).toEqual([path, false, false]);
    }
    for (const name of ["secrets", "deep/er/secret", "deep/er", "deep", "kept", ".git/hooks", ""]) {
      expect([name, may("file-write-unlink", join(place.workspace, name))]).toEqual([name, false]);
    }
    expect(may("file-write-unlink", join(place.workspace, "readme"))).toBe(true);
    for (const operation of ["network-outbound", "network-bind", "process-info-pidinfo", "job-creation"]) {
      expect(may(operation, place.workspace)).toBe(false);
    }
  });

  it("lets a file that may be written stay what it is", () => {
    using place = playground(({ workspace }) => ({
      allow: { read: [], write: grants(join(workspace, "readme")), run: [] },
    }));
    const profile = seatbeltProfile(planned(place));
    const may = (operation: string): boolean => isAllowed(profile, operation, join(place.workspace, "readme"));
    expect([may("file-write-data"), may("file-write-unlink")]).toEqual([true, false]);
  });
});

describe("a start under Seatbelt", () => {
  const WORDS = ["", "a b", "'", "'; echo x; '", "$(echo x)`echo x`$HOME", "\\n\\", "line\nbreak", "-p", "--", "*"];
  const echo = (words: readonly string[]): readonly string[] => ["env", "printf", "<%s>", ...words];

  it("hands on words, variables and folder as they are, and nothing else", async () => {
    const odd = "a 'b' $(c)\n\"d\"";
    using place = playground(({ workspace }) => {
      mkdirSync(join(workspace, odd));
      return { environment: { LARGE: "x".repeat(100_000), PLAIN: "x", ODD: WORDS.join("|"), SHLVL: "7" } };
    });
    const view = planned(place);
    const said = await run(place, echo(WORDS), { view });
    expect(everything(said)).toBe(WORDS.map((word) => `<${word}>`).join(""));
    const cwd = join(place.workspace, odd);
    const command = {
      ...programOf("env"),
      args: ["-0"],
      cwd,
      environment: { CALL: "secret value", DYLD_INSERT_LIBRARIES: "x" },
    };
    const { stdout, exitCode } = await run(place, [], { view, command });
    const given = { HOME: "/tmp", PATH: "/usr/local/bin:/usr/bin:/bin", ...place.authority.environment };
    const expected = Object.entries({ ...given, ...command.environment, PWD: cwd }).map(
      ([name, value]) => `${name}=${value}`,
    );
    expect([exitCode, ...stdout.toString().split("\0").filter(Boolean).sort()]).toEqual([0, ...expected.sort()]);
    // I10: others on the machine can read command lines; and what stands in front of the profile has no variable of a call.
    const told = readFileSync(`${confinesNothing}.told`, "utf8");
    expect(told).toContain(`PWD=${cwd}`);
    expect(told).not.toMatch(/secret value|DYLD_INSERT|SHLVL|PLAIN/);
  });

  it("ends what it is told to end, and all that it left", async () => {
    using place = playground();
    const view = planned(place);
    const ending = new AbortController();
    const script = 'trap "echo asked; exit 3" TERM; (trap "" TERM; sleep 987654) & echo ready; wait';
    const asked = await run(place, ["sh", "-c", script], {
      view,
      signal: ending.signal,
      onOutput: () => ending.abort(),
    });
    expect(asked).toMatchObject({ exitCode: 3, cancelled: true });
    expect(asked.stdout.toString()).toBe("ready\nasked\n");
    const left = await run(place, ["sh", "-c", "sleep 987654 & exec sh -c 'kill -9 $$'"], { view });
    expect(left).toMatchObject({ exitCode: 137, signal: "SIGKILL", cancelled: false });
    const sleeping = await run(place, ["sh", "-c", "ps -A -o args= | grep -c '[s]leep 987654'"], { view });
    expect(sleeping.stdout.toString()).toBe("0\n");
  });

  it("is bounded, and pipes", async () => {
    using place = playground();
    const view = planned(place);
    const limits = { ...DEFAULT_CHILD_LIMITS, fileBytes: 1_048_576, openFiles: 32 };
    const script = `ulimit -n; ulimit -c; yes >${place.out}/big`;
    const bounded = await run(place, ["sh", "-c", script], { view, limits });
    expect([bounded.stdout.toString(), bounded.exitCode, bounded.exceeded]).toEqual(["32\n0\n", 153, ["file_bytes"]]);
    const into = [{ ...programOf("wc"), args: ["-c"] }];
    const command = { ...programOf("echo"), args: ["abc"], into, cwd: place.workspace, environment: {} };
    const piped = await run(place, [], { view, command });
    expect([piped.stdout.toString(), piped.stages?.map(({ exitCode }) => exitCode)]).toEqual(["4\n", [0, 0]]);
  });

  it("does not begin where the profile is not taken, or its folder became a link", async () => {
    using place = playground(({ workspace }) => ({ allow: { read: [], write: grants(workspace), run: [] } }));
    const made = join(place.workspace, "made");
    const command = { ...programOf("touch"), args: [made], cwd: place.out, environment: {} };
    const refusing = standIn("refuses", `echo 'sandbox-exec: unbound variable: "x"' >&2; exit 65`);
    await expect(run(place, [], { view: planned(place, refusing), command })).rejects.toMatchObject({
      code: "FEMTO_SANDBOX_UNAVAILABLE",
      message: expect.stringContaining("no program starts under its profile: sandbox-exec: unbound variable: x"),
    });
    const view = planned(place);
    rmSync(place.out, { recursive: true });
    symlinkSync("/", place.out);
    const becameLink = { ...view, assumed: new Map() };
    await expect(run(place, [], { view: becameLink, command })).rejects.toMatchObject({
      message: expect.stringContaining("has become a link"),
    });
    expect(existsSync(made)).toBe(false);
  });

  it("refuses what only a namespace could hold, and what no shell hands on", () => {
    using place = playground();
    const view = planned(place);
    const command = { ...programOf("env"), args: [], cwd: place.workspace, environment: {} };
    const none = { terminal: false, relay: false };
    const refused = (change: object, beside: object = {}): void => {
      const plan = () => seatbeltScript(view, { ...command, ...change }, DEFAULT_CHILD_LIMITS, { ...none, ...beside });
      expect(plan).toThrow(expect.objectContaining({ code: "FEMTO_SANDBOX_UNAVAILABLE" }));
    };
    refused({}, { terminal: true });
    refused({}, { relay: true });
    refused({ isAgent: true });
    for (const name of ["IFS", "_", "OPTIND", "PWD", "a.b", "1a", "x; id", "femto_cwd", ""]) {
      refused({ environment: { [name]: "value" } });
    }
    refused({ args: ["a\0b"] });
    const handed = { ...view, mounts: [...view.mounts, { kind: "handed", path: "/x", descriptor: 10 } as const] };
    expect(() => seatbeltScript(handed, command, DEFAULT_CHILD_LIMITS, none)).toThrow(/not confined by Seatbelt/);
  });
});

describe("the probe", () => {
  it("tries each thing that a profile has to keep a child from, from a child with no descriptor but its own", async () => {
    using place = playground();
    const view = planned(place);
    const args = seatbeltTrial(view.mounts, place.authority, process.pid);
    const command = { ...programOf("perl"), args, cwd: place.workspace, environment: {} };
    const { stdout } = await run(place, [], { view, command });
    const said = stdout.toString().split("\n");
    const could = ["signals", "connects", "listens", "sends", "leaves its session", "leaves its group"];
    expect(said).toEqual(expect.arrayContaining([...could, `writes to ${place.workspace}`, "tried", ""]));
    // In the place of what this process was started with stands an empty file.
    const standIns = inheritedDescriptors(new Set()).map((descriptor) => `has descriptor ${descriptor}`);
    expect(standIns).toEqual(expect.arrayContaining(said.filter((word) => word.startsWith("has descriptor"))));
    expect(existsSync(join(place.workspace, ".femtoclaw-probe"))).toBe(false);
  });

  it("finds no sandbox where nothing confines, and none is ever taken in its place", async () => {
    using place = playground();
    const probe = (machine: Machine) => probeSandbox(place.authority, DEFAULT_CHILD_LIMITS, machine);
    const refusing = standIn("refuses", "exit 65");
    const mute = standIn("mute", 'case "$1" in */true) ;; *) exit 0 ;; esac');
    const [open, deaf, silent, absent, root, windows, bsd] = await Promise.all([
      probe(macWith(confinesNothing)),
      probe(macWith(refusing)),
      probe(macWith(mute)),
      probe(macWith(null)),
      probe({ ...macWith(confinesNothing), isRoot: true }),
      probe({ ...macWith(confinesNothing), platform: "win32" }),
      probe({ ...macWith(confinesNothing), platform: "freebsd" }),
    ]);
    for (const found of [open, deaf, silent, absent, root, windows, bsd]) expect(found.ok).toBe(false);
    // Where whoever runs this test passes on a descriptor, an empty file in its place is found first.
    expect(open).toMatchObject({
      reason: expect.stringMatching(/a child (is not confined: (has descriptor \d+, )*signals|can read what must)/),
    });
    expect(deaf).toMatchObject({ reason: expect.stringContaining("no program starts under its profile") });
    expect(absent).toMatchObject({ reason: expect.stringContaining("/usr/bin/sandbox-exec") });
    expect(root).toMatchObject({ reason: expect.stringContaining("the host is root") });
    for (const none of [windows, bsd]) expect(none).toMatchObject({ fix: expect.stringContaining("on Linux") });
  });
});
