/** A service manager hears that the host is ready, on a socket as systemd has one. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { tellService, watchService } from "../src/process/service-notice.ts";
import { Playground } from "./playground.ts";

interface Library {
  getFunction(name: string, signature: { arguments: string[]; return: string }): (...args: unknown[]) => unknown;
}
interface ForeignFunctions {
  readonly DynamicLibrary: new (name: string) => Library;
  getRawPointer(memory: ArrayBuffer): bigint;
}

const ffi = process.getBuiltinModule("node:ffi") as unknown as ForeignFunctions;
const library = new ffi.DynamicLibrary("libc.so.6");
const [AF_UNIX, SOCK_DGRAM, MSG_DONTWAIT] = [1, 2, 0x40];

/** Node.js has no such socket, so the C library is asked here, too. */
function listener(path: string): { heard(): string | null; close(): void } {
  const call = (name: string, args: string[]) => library.getFunction(name, { arguments: args, return: "int64" });
  const descriptor = Number(call("socket", ["int32", "int32", "int32"])(AF_UNIX, SOCK_DGRAM, 0));
  const name = Buffer.from(`\x01\x00${path}`, "latin1");
  const address = memory(name.length);
  new Uint8Array(address).set(name);
  const bound = call("bind", ["int32", "uint64", "uint32"])(descriptor, ffi.getRawPointer(address), name.length);
  if (Number(bound) !== 0) throw new Error(`cannot bind ${path}`);
  const buffer = memory(256);
  const recv = call("recv", ["int32", "uint64", "uint64", "int32"]);
  return {
    heard() {
      const bytes = Number(recv(descriptor, ffi.getRawPointer(buffer), 256n, MSG_DONTWAIT));
      return bytes < 0 ? null : Buffer.from(buffer, 0, bytes).toString();
    },
    close: () => void call("close", ["int32"])(descriptor),
  };
}

const memory = (bytes: number): ArrayBuffer => new ArrayBuffer(bytes);

/** Says each message that arrives, a line each. */
const RECEIVER = `
import socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
print("bound", flush=True)
while True:
    print(receiver.recv(4096).decode(), flush=True)
`;

describe("a service manager", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync("/tmp/fn-");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it.each([
    ["by a file", () => join(folder, "notify"), (path: string) => path],
    ["by a name without a file", () => `@${folder}`, (path: string) => path.replace("@", "\0")],
  ])("hears it %s", (_, socket, bound) => {
    const manager = listener(bound(socket()));
    expect(tellService({ NOTIFY_SOCKET: socket() }, "READY=1")).toBeNull();
    expect([manager.heard(), manager.heard()]).toEqual(["READY=1", null]);
    manager.close();
  });

  it("that is not there, or is no path, keeps nobody from serving", () => {
    expect(tellService({}, "READY=1")).toBeNull();
    expect(tellService({ NOTIFY_SOCKET: "" }, "READY=1")).toBeNull();
    for (const path of [join(folder, "nobody"), "relative", `/${"x".repeat(200)}`]) {
      expect(tellService({ NOTIFY_SOCKET: path }, "READY=1")).toMatch(/nobody listens|no path/);
    }
  });

  it("gets signs of life while the host is alive, until nobody is watched any more", async () => {
    const path = join(folder, "notify");
    const manager = listener(path);
    let alive = true;
    const environment = { NOTIFY_SOCKET: path, WATCHDOG_USEC: "200000", WATCHDOG_PID: String(process.pid) };
    const watch = watchService(environment, () => alive);
    await expect.poll(() => manager.heard()).toBe("WATCHDOG=1");
    await expect.poll(() => manager.heard()).toBe("WATCHDOG=1");
    alive = false;
    while (manager.heard() !== null);
    // One that is watched in the same way, and is alive: once it has given signs, the other one had time for its own.
    const others = listener(join(folder, "others"));
    using _alive = watchService({ ...environment, NOTIFY_SOCKET: join(folder, "others") }, () => true);
    await expect.poll(() => others.heard()).toBe("WATCHDOG=1");
    await expect.poll(() => others.heard()).toBe("WATCHDOG=1");
    expect(manager.heard()).toBeNull();
    watch[Symbol.dispose]();
    for (const one of [manager, others]) one.close();
  });

  it.each([
    ["of another process", { WATCHDOG_PID: "1" }],
    ["of no time", { WATCHDOG_USEC: "0" }],
    ["that is no number", { WATCHDOG_USEC: "-5" }],
    ["of nobody", { NOTIFY_SOCKET: "" }],
  ])("a watchdog %s is given no sign, and keeps nothing going", (_, more) => {
    const environment = { NOTIFY_SOCKET: join(folder, "nobody"), WATCHDOG_USEC: "200000", WATCHDOG_PID: "", ...more };
    const before = process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    using _watch = watchService(environment, () => true);
    expect(process.getActiveResourcesInfo().filter((name) => name === "Timeout")).toHaveLength(before);
  });

  it("hears the whole life of a real host, from a socket that is not Node's", async () => {
    const path = join(folder, "notify");
    const heard = spawn("python3", ["-c", RECEIVER, path], { stdio: ["ignore", "pipe", "inherit"] });
    const lines: string[] = [];
    createInterface(heard.stdout).on("line", (line) => lines.push(line));
    await expect.poll(() => lines).toEqual(["bound"]);
    await using place = new Playground();
    const host = await place.up([], { env: { NOTIFY_SOCKET: path, WATCHDOG_USEC: "200000" } });
    await expect.poll(() => lines).toEqual(expect.arrayContaining(["READY=1", "WATCHDOG=1"]));
    host.kill("SIGTERM");
    expect(await host.ended).toBe(0);
    await expect.poll(() => lines).toContain("STOPPING=1");
    expect(lines.filter((line) => line !== "WATCHDOG=1")).toEqual(["bound", "READY=1", "STOPPING=1"]);
    heard.kill();
    await once(heard, "close");
  });
});
