/** A service manager hears that the host is ready, on a socket as systemd has one. */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { tellServiceReady } from "../src/service-notice.ts";

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
    expect(tellServiceReady({ NOTIFY_SOCKET: socket() })).toBeNull();
    expect([manager.heard(), manager.heard()]).toEqual(["READY=1", null]);
    manager.close();
  });

  it("that is not there, or is no path, keeps nobody from serving", () => {
    expect(tellServiceReady({})).toBeNull();
    expect(tellServiceReady({ NOTIFY_SOCKET: "" })).toBeNull();
    for (const path of [join(folder, "nobody"), "relative", `/${"x".repeat(200)}`]) {
      expect(tellServiceReady({ NOTIFY_SOCKET: path })).toMatch(/nobody listens|no path/);
    }
  });
});
