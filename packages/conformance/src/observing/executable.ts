/**
 * The executable: its format, whether it needs any other file, and whether environment variables can inject code into
 * it.
 */
import { createHash } from "node:crypto";
import { closeSync, existsSync, openSync, readFileSync, readSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Executable } from "../observations.ts";
import { type Command, Place } from "../subject.ts";
import { configuration } from "./configuration.ts";

export async function observeExecutable(command: Command, rebuilt: string | null): Promise<Executable> {
  await using place = new Place(command, configuration());
  const marker = join(place.root, "injected");
  const code = `require("node:fs").writeFileSync(${JSON.stringify(marker)}, "")`;
  const script = place.write("inject.cjs", code);
  const injected: string[] = [];
  const attempts: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    NODE_OPTIONS: { NODE_OPTIONS: `--require ${script}` },
    NODE_REPL_EXTERNAL_MODULE: { NODE_REPL_EXTERNAL_MODULE: script },
  };
  const alone = await lifeAlone(place);
  for (const [name, environment] of Object.entries(attempts)) {
    await place.run(["--version"], { environment });
    if (existsSync(marker)) injected.push(name);
    rmSync(marker, { force: true });
  }
  const [file, ...prefix] = command;
  const builds = rebuilt === null ? null : { this: digestOf(file), other: digestOf(rebuilt) };
  return { isStandalone: prefix.length === 0, format: formatOf(file), alone, injected, builds };
}

/** Exit code of a host that became ready although its PATH holds no program; null if it never became ready. */
async function lifeAlone(place: Place): Promise<number | null> {
  try {
    const host = await place.up({ PATH: "/nonexistent" });
    host.kill("SIGTERM");
    const ended = await host.ended;
    return typeof ended === "number" ? ended : null;
  } catch {
    return null;
  }
}

export const digestOf = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");

function formatOf(file: string): string {
  const bytes = Buffer.alloc(4);
  const descriptor = openSync(file, "r");
  try {
    readSync(descriptor, bytes, 0, bytes.length, 0);
  } finally {
    closeSync(descriptor);
  }
  if (bytes.toString("latin1") === "\x7fELF") return "ELF";
  if (bytes.readUInt16LE() === 0x5a4d) return "PE";
  return [0xfeedfacf, 0xcafebabe].includes(bytes.readUInt32LE()) || bytes.readUInt32BE() === 0xcafebabe
    ? "Mach-O"
    : "other";
}
