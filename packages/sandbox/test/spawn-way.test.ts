/** How the executable starts processes, and what it does where the C library cannot do it. */
import { once } from "node:events";
import { afterEach, describe, expect, test, vi } from "vitest";
import type * as ForeignFunctions from "../src/foreign-functions.ts";

const FOREIGN = "../src/foreign-functions.ts";

afterEach(() => {
  vi.doUnmock(FOREIGN);
  vi.resetModules();
});

/** Replaces functions of the C library, by what is made of the real ones. */
function withLibrary(change: (name: string, real: (...args: unknown[]) => unknown) => (...args: unknown[]) => unknown) {
  vi.resetModules();
  vi.doMock(FOREIGN, async (original) => {
    const real = await original<typeof ForeignFunctions>();
    const library = real.cLibrary();
    const getFunction: typeof library.getFunction = (name, signature) =>
      change(name, library.getFunction(name, signature));
    return { ...real, cLibrary: () => ({ getFunction }) };
  });
}

describe.skipIf(process.platform !== "linux")("the executable", () => {
  test("starts processes by the C library", async () => {
    const { spawnWay } = await import("../src/spawning/spawn-process.standalone.ts");
    expect(spawnWay()).toEqual({ by: "posix_spawn", fault: null });
  });

  test("starts them as Node.js does where the C library lacks something, and says why", async () => {
    withLibrary((name, real) => {
      if (name === "posix_spawn_file_actions_addclosefrom_np") throw new Error(`there is no ${name}`);
      return real;
    });
    const { spawnProcess, spawnWay } = await import("../src/spawning/spawn-process.standalone.ts");
    const child = spawnProcess({ program: "/bin/true", args: [], detached: false, stdio: ["ignore"] });
    await once(child, "close");
    expect(child.exitCode).toBe(0);
    expect(spawnWay()).toEqual({
      by: "Node.js",
      fault: "there is no posix_spawn_file_actions_addclosefrom_np",
    });
  });

  test("reports the error that a pipe met, whatever it is", async () => {
    const AF_NONE = 12_345;
    withLibrary((name, real) => (name === "socketpair" ? (_, ...args) => real(AF_NONE, ...args) : real));
    const { spawnProcess } = await import("../src/spawning/spawn-process.standalone.ts");
    const request = { program: "/bin/true", args: [], detached: false, stdio: ["pipe"] } as const;
    expect(() => spawnProcess(request)).toThrow(expect.objectContaining({ code: "EAFNOSUPPORT" }));
  });
});
