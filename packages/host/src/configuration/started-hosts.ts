/**
 * Remembers which configuration started which host, and where that host listens. A host notes this outside every
 * project. So it can be stopped whatever has happened to its configuration since, and nothing in the configuration has
 * to be believed.
 */
import { createHash } from "node:crypto";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolders } from "@femtoclaw/journal/state-directory";
import { type HostEnvironment, parseStrictJson, stateHome } from "@femtoclaw/protocol";
import { SecureDirectory } from "@femtoclaw/runtime/secure-file";

const FOLDER = "hosts";
const NAME = /^[0-9a-f]{32}\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.json$/;
/** LIMIT: bytes of one note; it holds three paths of up to 4,096 bytes each, with escapes. */
const NOTE_BYTES_MAX = 65_536;

/** Where a host keeps its state and listens. */
export interface HostPlace {
  readonly stateDirectory: string;
  readonly runtimeDirectory: string;
}

export interface StartedHost extends HostPlace {
  /** Canonical path of the configuration that started it. */
  readonly configuration: string;
  /** Unique for each start. */
  readonly boot: string;
}

/**
 * Notes a host that holds the state directory, and removes the notes of hosts that were killed there. The returned
 * function removes the new note. Nothing is noted if the user has no home; then no project can be trusted either.
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
  // The name contains the boot, so that a host that ends never removes the note of its successor.
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

/**
 * The hosts of all configurations that were noted and have not ended in an orderly way since. Whether they still run is
 * for the caller to find out.
 */
export function notedHosts(environment: HostEnvironment): readonly StartedHost[] {
  const home = stateHome(environment);
  // INVARIANT: I8: a file that others could have written leads nobody to a host.
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

/** Null for a note that vanished or is incomplete. */
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
