/**
 * Native code of the standalone executable. The system's loader takes only files. On Linux it gets a file without a
 * name: nobody can replace it before it is loaded or change it afterwards, and nothing of it remains. macOS cannot load
 * a file without a name, so there the file lies for a moment in a folder that only this user may enter. On Windows no
 * native code is loaded.
 */

import { randomUUID } from "node:crypto";
import { closeSync, constants as files, mkdtempSync, openSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import { errorText, FemtoError, printable } from "@femtoclaw/protocol";
import { asset } from "@femtoclaw/protocol/asset";

/** The exports of the native code, which is loaded when one of them is first used, because most commands use none. */
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

/** Folders for the temporary file. Each of them may be read-only or mounted `noexec`. */
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
  // The descriptor stays open: the loader identifies code by its path, and would take the next file with this number
  // for the same code.
}

/** INVARIANT: I8: the folder is created here under a new name, and nobody else may enter it. */
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

/** INVARIANT: I8: only this process and its user ever reach the file, no matter who owns the folder. */
function namelessFile(folder: string): number {
  const path = join(folder, `.femtoclaw-${randomUUID()}`);
  const descriptor = openSync(path, files.O_RDWR | files.O_CREAT | files.O_EXCL | files.O_NOFOLLOW, 0o600);
  unlinkSync(path);
  return descriptor;
}
