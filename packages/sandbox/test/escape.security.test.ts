import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { closeSync, existsSync, linkSync, lstatSync, openSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { viewOf } from "../src/index.ts";
import { everything, grants, playground, programOf, run, SECRET } from "./playground.ts";
import { takingOver } from "./taking-over.ts";

/** Each of these must not bring the secret to light; `@` stands for the playground's root. */
const READS: readonly (readonly [name: string, ...command: string[]])[] = [
  ["the shadow file", "cat", "/etc/shadow"],
  ["a denied file", "cat", "@/workspace/secrets/key"],
  ["a file that is asked for", "cat", "@/workspace/asked/diary"],
  ["a floor file in the workspace", "cat", "@/workspace/femtoclaw.toml"],
  ["the state folder", "cat", "@/state/journal"],
  ["a link to the state folder", "cat", "@/workspace/to-state/journal"],
  ["a file outside every grant", "cat", "@/outside"],
  ["up from the workspace", "sh", "-c", "cat ../outside ../state/*"],
  ["through the root of process 1", "sh", "-c", "cat /proc/1/root@/outside /proc/*/root@/state/journal"],
  ["through the folder of process 1", "sh", "-c", "cat /proc/*/cwd/../outside"],
  ["through descriptors of all processes", "sh", "-c", "cat /proc/[0-9]*/fd/* & sleep 0.3; kill $!"],
  ["the old root of the mount dance", "sh", "-c", "cat /oldroot@/outside /newroot@/outside"],
  ["by unmasking", "sh", "-c", "umount @/workspace/secrets; cat @/workspace/secrets/key"],
  ["by moving the mask away", "sh", "-c", "mv secrets s; mv femtoclaw.toml f; cat s/* f"],
  ["the environment of the host", "sh", "-c", "env; cat /proc/*/environ"],
  ["raw disks", "sh", "-c", "grep -a -m1 the-secret-that /dev/[svn]d* /dev/vda /dev/mem"],
];

const perl = (code: string): string[] => ["perl", "-MErrno", "-e", `${code}; print $! + 0`];
const EPERM = "1";

/** System calls that must fail with EPERM, by number, tried with harmless arguments. */
const CALLS: readonly (readonly [name: string, code: string])[] = [
  ["ptrace", "syscall(101, 0, 0, 0, 0)"],
  ["unshare of a user namespace", "syscall(272, 0x10000000)"],
  ["unshare of mounts", "syscall(272, 0x20000)"],
  ["clone of a user namespace", "syscall(56, 0x10000011, 0, 0, 0, 0)"],
  ["mount", "my ($s, $t, $f) = ('none', '/tmp', 'tmpfs'); syscall(165, $s, $t, $f, 0, 0)"],
  ["umount", "my $t = '/tmp'; syscall(166, $t, 2)"],
  ["setns", "syscall(308, 0, 0)"],
  ["open_by_handle_at", "syscall(304, 0, 0, 0)"],
  ["bpf", "syscall(321, 0, 0, 0)"],
  ["io_uring_setup", "syscall(425, 1, 0)"],
  ["keyctl", "syscall(250, 0, 0)"],
  ["chroot", "my $t = '/tmp'; syscall(161, $t)"],
  ["AF_UNIX", "socket(my $s, 1, 1, 0)"],
  ["AF_NETLINK", "socket(my $s, 16, 3, 0)"],
  ["AF_PACKET", "socket(my $s, 17, 3, 0)"],
  ["AF_ALG", "socket(my $s, 38, 5, 0)"],
  ["AF_VSOCK", "socket(my $s, 40, 1, 0)"],
  ["typing into a terminal", "ioctl(STDIN, 0x5412, my $c = 'x')"],
];

describe("a child", () => {
  it.each([
    ["by itself", {}],
    ["behind a relay", { onConnection: () => undefined }],
  ])("has its variables, and no command line has their values: %s", async (_, more) => {
    using place = playground();
    const look = 'printf %s "$TOKEN"; echo; cat /proc/[0-9]*/cmdline | tr "\\0" "\\n"; env | cut -d= -f1';
    const command = { ...programOf("sh"), args: ["-c", look], cwd: place.workspace, environment: { TOKEN: SECRET } };
    const ran = await run(place, [], { command, ...more });
    const [token, ...others] = ran.stdout.toString().split("\n");
    expect(token).toBe(SECRET);
    // Process 1 has the command line that bubblewrap has outside, where other users see it.
    expect(others).toContain("--die-with-parent");
    expect(others.join("\n")).not.toContain(SECRET);
    expect(others.join("\n")).not.toContain("OF_PROGRAM");
  });

  it("cannot have it said that it was never started, also as process 1 of its sandbox", async () => {
    using place = playground();
    // Process 1 tells bubblewrap outside how the program ended, by a number in its descriptor 6, and waits then.
    const takeOver = takingOver(
      "1",
      String.raw`my $code = "\xbf\x06\0\0\0\x48\x8d\x35\x16\0\0\0\xba\x08\0\0\0\xb8\x01\0\0\0\x0f\x05";
        $code .= "\xb8\x22\0\0\0\x0f\x05" . pack("x3 Q<", 0xfffffff0);`,
    );
    const ran = await run(place, ["perl", "-e", `$| = 1; print "it ran"; ${takeOver}; sleep 1`]);
    expect(ran.stdout.toString()).toBe("it ran");
    expect(ran.exitCode).not.toBeNull();
  });

  it.each(READS)("cannot read %s", async (_, ...command) => {
    using place = playground(({ workspace, out }) => ({
      // Once as granted usually, and once with the whole workspace writable, below.
      allow: { read: grants(workspace), write: grants(out), run: [] },
    }));
    symlinkSync(join(place.root, "state"), join(place.workspace, "to-state"));
    const spelled = command.map((part) => part.replaceAll("@", place.root));
    expect(everything(await run(place, spelled))).not.toMatch(/the-secret-that-no|^root:[^:]*:\d{5}:/m);
    const writable = {
      ...place,
      authority: { ...place.authority, allow: { read: [], write: grants(place.workspace), run: [] } },
    };
    expect(everything(await run(writable, spelled))).not.toContain(SECRET);
    expect(readFileSync(join(place.workspace, "secrets/key"), "utf8")).toBe(SECRET);
  });

  it.each(CALLS)("is refused %s", async (_, code) => {
    using place = playground();
    expect((await run(place, perl(code))).stdout.toString()).toBe(EPERM);
  });

  it("cannot write where it may only read", async () => {
    using place = playground();
    const script =
      "for f in new readme .git/hooks/pre-commit /usr/bin/new /etc/new; do echo x > $f; done; echo y > out/ok";
    await run(place, ["sh", "-c", `${script}; rm -rf readme .git; chmod 777 .; ln readme out/readme`]);
    expect(readFileSync(join(place.workspace, "readme"), "utf8")).toBe("hello");
    expect(readdirSync(join(place.workspace, ".git/hooks"))).toEqual([]);
    expect(readdirSync(place.out)).toEqual(["ok"]);
    expect(existsSync("/etc/new")).toBe(false);
  });

  it("cannot write to or move aside what is guarded, denied or masked in a writable workspace", async () => {
    using place = playground(({ workspace }) => ({
      allow: { read: [], write: grants(workspace), run: [] },
      deny: { read: grants(join(workspace, "deep/er/secret")), write: grants(join(workspace, "kept")), run: [] },
    }));
    const attack = [
      "mv deep away; mv deep/er deep/away; mv .git git; mv kept lost; rm -rf kept deep .git",
      "mkdir -p .git/hooks; echo evil > .git/hooks/pre-commit; echo evil > kept/file; ln -s /etc deep/er/x",
    ].join("; ");
    await run(place, ["sh", "-c", attack]);
    expect(readFileSync(join(place.workspace, "deep/er/secret"), "utf8")).toBe(SECRET);
    expect(readdirSync(join(place.workspace, ".git/hooks"))).toEqual([]);
    expect(readdirSync(join(place.workspace, "kept"))).toEqual([]);
  });

  it("sees no variable of the host", async () => {
    using place = playground(() => ({ environment: { GIVEN: "by the operator" } }));
    process.env["FEMTOCLAW_TEST_SECRET"] = SECRET;
    const { stdout } = await run(place, ["env"]);
    delete process.env["FEMTOCLAW_TEST_SECRET"];
    const names = stdout
      .toString()
      .trim()
      .split("\n")
      .map((line) => line.split("=")[0]);
    expect(names.sort()).toEqual(["GIVEN", "HOME", "PATH", "PWD"]);
  });

  it("sees no process of the host", async () => {
    using place = playground();
    const { stdout } = await run(place, ["sh", "-c", "ls -d /proc/[0-9]*"]);
    expect(stdout.toString().trim().split("\n").length).toBeLessThanOrEqual(4);
  });

  it("reaches no network, the host's own included", async () => {
    using place = playground();
    const server = createServer((socket) => socket.end(SECRET)).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const connect = `use Socket; socket(S, 2, 1, 0) or die; connect(S, pack_sockaddr_in(${port}, inet_aton('127.0.0.1'))) and print 'in'`;
    const inside = await run(place, ["perl", "-e", connect]);
    server.close();
    expect(inside.stdout.toString()).toBe("");
  });

  it("has no capability and cannot gain one", async () => {
    using place = playground();
    const { stdout } = await run(place, ["grep", "-E", "^(Cap|NoNewPrivs|Seccomp:)", "/proc/self/status"]);
    expect(stdout.toString()).toMatch(/CapEff:\s0{16}\n/);
    expect(stdout.toString()).toMatch(/CapBnd:\s0{16}\n/);
    expect(stdout.toString()).toMatch(/NoNewPrivs:\s1\n/);
    expect(stdout.toString()).toMatch(/Seccomp:\s2\n/);
  });

  it("cannot forge what bubblewrap says about it", async () => {
    using place = playground();
    const forge = "for fd in 3 4 5 6 7 8 9; do echo '{ \"exit-code\": 0 }' >&$fd; done; exit 5";
    expect(await run(place, ["bash", "-c", forge])).toMatchObject({ exitCode: 5 });
  });
});

/** Runs `code` in another host process with descriptor 40 open on the secret. */
function host(place: { root: string; workspace: string }, command: readonly string[]): ChildProcess {
  const code = `
    const { playground, run } = await import(${JSON.stringify(join(import.meta.dirname, "playground.ts"))});
    using place = playground();
    const result = await run(place, ${JSON.stringify(command)});
    process.stdout.write(result.stdout); process.stdout.write(result.stderr);`;
  const secret = openSync(join(place.root, "outside"), "r");
  const stdio: (number | "ignore" | "pipe" | "inherit")[] = ["ignore", "pipe", "inherit"];
  // Node itself takes care of the first sixteen; what lies beyond a gap is what got through.
  while (stdio.length < 40) stdio.push("ignore");
  const child = spawn(process.execPath, ["--input-type=module", "-e", code], {
    // Its playground goes with this one, even when it is killed.
    env: { ...process.env, TMPDIR: place.root },
    stdio: [...stdio, secret],
  });
  closeSync(secret);
  return child;
}

const isRunning = (mark: string): boolean =>
  readdirSync("/proc").some((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const [program = ""] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      return /sleep$/.test(program) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(mark);
    } catch {
      return false;
    }
  });

describe("a child that exchanges a folder for a link while others start", () => {
  it("does not choose what they see", async () => {
    using place = playground(({ workspace }) => ({
      allow: { read: [], write: grants(workspace), run: [] },
      deny: { read: [], write: [], run: [] },
    }));
    const view = viewOf(place.authority);
    // Both exist only since the child runs, else they would be mounts to it and could not be exchanged.
    const flip =
      "my ($x, $y) = ('.vscode', 'link'); mkdir $x; symlink '../state', $y; while (1) { syscall(316, -100, $x, -100, $y, 2) == 0 or die $! }";
    const stop = new AbortController();
    const attack = run(place, perl(flip), { view, signal: stop.signal, timeoutMs: 300_000 });
    const link = join(place.workspace, "link");
    await expect.poll(() => lstatSync(link, { throwIfNoEntry: false })?.isDirectory()).toBe(true);
    let started = 0;
    for (let round = 0; round < 25; round += 1) {
      const look = ["sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do cat .vscode/journal link/journal; done; echo started"];
      const looks = await Promise.all([1, 2, 3, 4].map(() => run(place, look, { view })));
      for (const result of looks) {
        expect(everything(result)).not.toContain(SECRET);
        if (everything(result).includes("started")) started += 1;
      }
    }
    expect(started).toBe(100);
    stop.abort();
    expect(await attack).toMatchObject({ cancelled: true });
  });
});

describe("nothing is left or let in", () => {
  it("gives a child none of the descriptors that the host inherited", async () => {
    using place = playground();
    const child = host(place, ["bash", "-c", "cat <&40; ls -l /proc/self/fd"]);
    const output: Buffer[] = [];
    child.stdout?.on("data", (chunk: Buffer) => output.push(chunk));
    await once(child, "close");
    expect(Buffer.concat(output).toString()).toContain("/dev/null");
    expect(Buffer.concat(output).toString()).not.toContain(SECRET);
    expect(Buffer.concat(output).toString()).not.toContain("outside");
  });

  it("leaves no process of a session of its own behind after a kill", async () => {
    using place = playground();
    const mark = `${100_000 + Math.floor(Math.random() * 100_000)}.25`;
    const stop = new AbortController();
    const running = run(place, ["sh", "-c", `trap '' TERM; setsid sleep ${mark} & sleep ${mark}`], {
      signal: stop.signal,
    });
    await expect.poll(() => isRunning(mark)).toBe(true);
    stop.abort();
    await running;
    await expect.poll(() => isRunning(mark)).toBe(false);
  });

  it("leaves no process behind when the host itself is killed", async () => {
    using place = playground();
    const mark = `${200_000 + Math.floor(Math.random() * 100_000)}.25`;
    const child = host(place, ["sh", "-c", `trap '' TERM HUP; setsid sleep ${mark} & sleep ${mark}`]);
    await expect.poll(() => isRunning(mark)).toBe(true);
    child.kill("SIGKILL");
    await expect.poll(() => isRunning(mark)).toBe(false);
  });

  it("does not follow a hard link out of the mounts", async () => {
    using place = playground();
    const name = randomUUID();
    linkSync(join(place.root, "outside"), join(place.root, "linked"));
    const { stdout } = await run(place, ["sh", "-c", `ln ../outside out/${name}; cat out/${name}`]);
    expect(stdout.toString()).not.toContain(SECRET);
  });
});
