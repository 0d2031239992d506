/**
 * Which host was started by which configuration, and where it listens. A host notes it outside every project, so that it
 * can be stopped whatever has become of the configuration by then, and without believing a word of it.
 */
import { createHash } from "node:crypto";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolders } from "@femtoclaw/journal/state-directory";
import { type HostEnvironment, parseStrictJson, stateHome } from "@femtoclaw/protocol";
import { SecureDirectory } from "@femtoclaw/runtime/secure-file";

const FOLDER = "hosts";
const NAME = /^[0-9a-f]{32}\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.json$/;
/** LIMIT: bytes of one note; it holds three paths, of which the kernel takes 4,096 bytes each, escaped. */
const NOTE_BYTES_MAX = 65_536;

/** Where a host keeps its state and listens. */
export interface HostPlace {
  readonly stateDirectory: string;
  readonly runtimeDirectory: string;
}

export interface StartedHost extends HostPlace {
  /** Canonical path of the configuration that it was started by. */
  readonly configuration: string;
  /** No two starts have the same. */
  readonly boot: string;
}

/**
 * Notes a host that has the state directory to itself, and forgets those that were killed there before. What it gives
 * takes the note away. Nothing is noted where there is no home, and so no project is trusted.
 */
export function noteHost(environment: HostEnvironment, host: StartedHost): () => void {
  const home = stateHome(environment);
  if (home === undefined) return () => undefined;
  const folder = join(home, FOLDER);
  makeFolders(folder, 0o700);
  const prefix = `${digest(host)}.`;
  for (const name of readdirSync(folder)) {
    if (name.startsWith(prefix) && NAME.test(name)) rmSync(join(folder, name), { force: true });
  }
  // The boot is a part of its name, so that a host that ends never takes away the note of the next one.
  const path = join(folder, `${prefix}${host.boot}.json`);
  const forget = (): void => rmSync(path, { force: true });
  try {
    writeFileSync(path, `${JSON.stringify({ version: 1, ...host })}\n`, { flag: "wx", mode: 0o600 });
  } catch (error) {
    forget();
    throw error;
  }
  return forget;
}

/** Those of all configurations that were noted and have not ended in order; whether they still run is for who asks to find out. */
export function notedHosts(environment: HostEnvironment): readonly StartedHost[] {
  const home = stateHome(environment);
  // INVARIANT: I8: what others could have written there leads nobody to a host.
  using directory = home === undefined ? undefined : SecureDirectory.open(join(home, FOLDER));
  if (directory === undefined) return [];
  return directory
    .entries()
    .filter(({ name }) => NAME.test(name))
    .flatMap(({ name }) => {
      const host = parse(directory.read(name, NOTE_BYTES_MAX));
      return host !== null && name === `${digest(host)}.${host.boot}.json` ? [host] : [];
    });
}

function digest({ configuration, stateDirectory }: StartedHost): string {
  return createHash("sha256").update(`${configuration}\0${stateDirectory}`).digest("hex").slice(0, 32);
}

/** Null for one that went away, or that nobody wrote whole. */
function parse(bytes: Buffer | undefined): StartedHost | null {
  const parsed = bytes === undefined ? null : parseStrictJson(bytes);
  if (parsed?.ok !== true || typeof parsed.value !== "object" || parsed.value === null) return null;
  const { version, configuration, stateDirectory, runtimeDirectory, boot } = parsed.value as Record<string, unknown>;
  if (version !== 1 || typeof boot !== "string") return null;
  if (!isPath(configuration) || !isPath(stateDirectory) || !isPath(runtimeDirectory)) return null;
  return { configuration, stateDirectory, runtimeDirectory, boot };
}

function isPath(value: unknown): value is string {
  return typeof value === "string" && value.startsWith("/");
}
