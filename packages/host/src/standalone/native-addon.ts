/**
 * Native code of the standalone executable. The loader of the system takes files alone, so on Linux it gets one without a
 * name: nobody can put another file there before it is loaded or change it afterwards, and nothing of it stays. On macOS no
 * file without a name can be loaded, so it lies in a folder of this user alone for that moment. On Windows none is loaded.
 */

import { randomUUID } from "node:crypto";
import { closeSync, constants as files, mkdtempSync, openSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import { errorText, FemtoError, printable } from "@femtoclaw/protocol";
import { asset } from "@femtoclaw/protocol/asset";

/** What the native code exports, loaded when the first of it is used: most commands use none. */
export function addon(name: string): object {
  let exports: object | null = null;
  return new Proxy(
    {},
    {
      get: (_target, key) => {
        exports ??= loadAddon(name);
        return Reflect.get(exports, key);
      },
    },
  );
}

function loadAddon(name: string): object {
  if (process.platform === "win32") {
    throw new FemtoError("FEMTO_PLATFORM_UNSUPPORTED", `the executable for Windows has no ${name}`);
  }
  const load = process.platform === "linux" ? loadIn : loadFromOwnFolder;
  const bytes = asset(name);
  const refusals: string[] = [];
  for (const folder of folders(process.env)) {
    try {
      return load(folder, bytes);
    } catch (error) {
      refusals.push(`${printable(folder, 1_024)}: ${printable(errorText(error), 1_024)}`);
    }
  }
  throw new FemtoError("FEMTO_NATIVE_CODE", `no folder took the native code ${name}: ${refusals.join("; ")}`);
}

/** Where files for the moment may be made; each of them may be read-only, or mounted so that nothing in it is run. */
function folders(environment: NodeJS.ProcessEnv): readonly string[] {
  const { XDG_RUNTIME_DIR: runtime, HOME: home } = environment;
  const own = [runtime, home].filter((folder): folder is string => folder !== undefined && isAbsolute(folder));
  return [...new Set([tmpdir(), "/tmp", ...own, "/var/tmp", "/dev/shm"])];
}

function loadIn(folder: string, bytes: Uint8Array): object {
  const descriptor = namelessFile(folder);
  try {
    writeFileSync(descriptor, bytes);
    const module = { exports: {} };
    process.dlopen(module, `/proc/self/fd/${descriptor}`, constants.dlopen.RTLD_NOW);
    return module.exports;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  // It stays open: the loader knows code by its path, and would take the next file of this number for the same code.
}

/** INVARIANT: I8: the folder is made here, with a name that was never there, and nobody else may enter it. */
export function loadFromOwnFolder(folder: string, bytes: Uint8Array): object {
  const own = mkdtempSync(join(folder, ".femtoclaw-"));
  try {
    const path = join(own, "code.node");
    writeFileSync(path, bytes, { flag: "wx", mode: 0o600 });
    const module = { exports: {} };
    process.dlopen(module, path, constants.dlopen.RTLD_NOW);
    return module.exports;
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

/** INVARIANT: I8: only this process and its user ever reach the file, whoever owns the folder. */
function namelessFile(folder: string): number {
  const path = join(folder, `.femtoclaw-${randomUUID()}`);
  const descriptor = openSync(path, files.O_RDWR | files.O_CREAT | files.O_EXCL | files.O_NOFOLLOW, 0o600);
  unlinkSync(path);
  return descriptor;
}
