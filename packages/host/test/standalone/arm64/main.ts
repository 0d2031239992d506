/**
 * `npm run arm64`: builds the executable for arm64 and drives it on this processor by Debian's `qemu-user`: a project, a
 * host, calls that are permitted and denied, the audit of what it recorded, and the same audit by the sources on this
 * processor. What starts programs is refused there, because the emulator hands on no system call filter.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { errorText, VERSION } from "@femtoclaw/protocol";
import { checked, type Story } from "../../agents/check.ts";
import { Playground, CONFIGURATION as WITH_PROGRAMS } from "../../playground.ts";
import { build, makeKey } from "../build.ts";

const PACKAGES = "qemu-user libstdc++6-arm64-cross libatomic1-arm64-cross";
/** Where these packages put the system's libraries. */
const LIBRARIES = "/usr/aarch64-linux-gnu";

/** Without programs, which no emulator confines. */
const CONFIGURATION = WITH_PROGRAMS.replace("process_exec = true\n", "").replace(/^run = .*\n/m, "");

function storyOf(place: Playground, sources: Playground): Story {
  const run = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await place.run(args);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const records = async (): Promise<number> => (await place.json<{ records: number }>(["status"])).value.records;
  let before = 0;
  return [
    ["it says its version", async () => assert.equal(await run("--version"), `${VERSION}\n`)],
    [
      "a host starts, tells its processor, and takes calls",
      async () => {
        await place.up();
        const findings = await place.json<unknown>(["doctor"]);
        assert.match(JSON.stringify(findings.value), /on linux arm64/);
        const read = await place.call("fs_read", { path: "notes.txt" });
        assert.deepEqual([read.code, read.value.result], [0, { ...read.value.result, content: "some notes\n" }]);
        const content = "written on arm64\n";
        const written = await place.call("fs_write", { path: "out/new.txt", content, mode: "create" });
        assert.equal(written.code, 0);
        assert.equal(readFileSync(join(place.project, "out/new.txt"), "utf8"), content);
      },
    ],
    [
      "what is not permitted, or not enabled, is denied",
      async () => {
        for (const [tool, args] of [
          ["fs_read", { path: "secrets/token.txt" }],
          ["fs_read", { path: "/etc/passwd" }],
          ["process_exec", { bin: "true" }],
        ] as const) {
          assert.equal((await place.call(tool, args)).code, 77);
        }
      },
    ],
    [
      "it ends in order, goes on after SIGKILL, and has lost nothing",
      async () => {
        before = await records();
        await place.down();
        const host = await place.up();
        host.kill("SIGKILL");
        await host.ended;
        await place.up();
        assert((await records()) > before, "the journal goes on");
        await place.down();
      },
    ],
    ["no program can be enabled, because the emulator confines none", () => refusesPrograms(place)],
    [
      "its log is verified and replayed by itself",
      async () => {
        await run("audit", "verify");
        await run("replay", "--recompute");
      },
    ],
    [
      "its log is verified and replayed by the sources on this processor",
      async () => {
        // In the same home, where the key of the log was kept when the log began.
        const there = { cwd: place.project, env: place.environment };
        for (const args of [
          ["audit", "verify"],
          ["replay", "--recompute"],
        ]) {
          const { code, stdout, stderr } = await sources.run(args, there);
          assert.equal(code, 0, `${stdout}${stderr}`);
        }
      },
    ],
  ];
}

async function refusesPrograms(place: Playground): Promise<void> {
  place.configure(WITH_PROGRAMS);
  const { code, stderr } = await place.run(["up"]);
  place.configure(CONFIGURATION);
  assert.notEqual(code, 0);
  assert.match(stderr, /FEMTO_SANDBOX_UNAVAILABLE/);
}

async function main(): Promise<number> {
  const root = realpathSync(mkdtempSync("/tmp/fa-"));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rmSync(root, { recursive: true, force: true }));
  await promisify(execFile)("qemu-aarch64", ["-version"]).catch(() => {
    throw new Error(`this needs an emulator and its libraries: apt-get install ${PACKAGES}`);
  });
  const key = await makeKey(root, "release.key");
  const { program } = await build(join(root, "dist"), key, { target: "linux-arm64" });
  const place = stack.use(new Playground(CONFIGURATION, ["qemu-aarch64", "-L", LIBRARIES, program]));
  // It would start itself anew without it, which the emulator does not hand on.
  place.environment["NODE_COMPILE_CACHE"] = undefined;
  const sources = stack.use(new Playground());
  const checks = await checked(storyOf(place, sources));
  for (const { name, fault } of checks) {
    process.stdout.write(fault === null ? `ok    ${name}\n` : `FAIL  ${name}\n${fault.replace(/^/gm, "      ")}\n`);
  }
  const failed = checks.filter(({ fault }) => fault !== null).length;
  process.stdout.write(`${checks.length - failed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${errorText(error)}\n`);
  process.exitCode = 1;
}
