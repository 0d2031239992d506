/**
 * Secrets that operators stored, each for a single host. They lie in the state directory, which every child's view
 * masks, in a file of this user alone. A value leaves it only in a request to its own host.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Journal, OneByOne, type StagedFile, stageFile } from "@femtoclaw/journal/live";
import {
  canonicalHost,
  errorText,
  FemtoError,
  type FetchTarget,
  isPermittedBy,
  LIMITS,
  ownUser,
  parseJson,
  portNumber,
  printable,
  requireFields,
  requireNumber,
  requireText,
  type SecretView,
  systemErrorCode,
} from "@femtoclaw/protocol";
import { operatorActor } from "../operators/operator-actor.ts";

const FILE = "secrets.json";

interface NewSecret extends SecretView {
  readonly value: string;
}

export class Secrets {
  readonly #folder: string;
  readonly #journal: () => Pick<Journal, "append">;
  readonly #onAdded: () => void;
  #stored: ReadonlyMap<string, NewSecret> | null = null;
  /** Makes changes run one after the other. */
  readonly #changes = new OneByOne();

  /** `onAdded` is called when something that lacked a secret may have it now. */
  constructor(stateDirectory: string, journal: () => Pick<Journal, "append">, onAdded: () => void) {
    this.#folder = stateDirectory;
    this.#journal = journal;
    this.#onAdded = onAdded;
  }

  get list(): readonly SecretView[] {
    return [...this.#all().values()].map(({ name, host, port }) => ({ name, host, port }));
  }

  /** The value, for a request to the very host and port that it was stored for; null for any other. */
  find(name: string, target: FetchTarget): string | null {
    const secret = this.#all().get(name);
    if (secret === undefined) return null;
    return isPermittedBy({ ...secret, hosts: "one" }, target) ? secret.value : null;
  }

  /**
   * Durable when this resolves. The record comes first: no secret is used that is in no record. Room for the secret is
   * taken even before that, so that a full disk leaves no record of a secret that does not exist.
   */
  async add(given: NewSecret, by: string): Promise<void> {
    requireFields("a secret", given);
    // A copy, because the caller may reuse the same object for the next secret.
    const { name, host, port, value } = given;
    for (const [field, text] of Object.entries({ name, host, value, by })) requireText(field, text);
    requireNumber("port", port);
    const secret: NewSecret = { name, host, port, value };
    await this.#changes.run(async () => {
      check(secret, this.#all());
      const whose = { actor: operatorActor(by), session: null, execution: null };
      const secrets = new Map([...this.#all(), [name, secret]]);
      await using file = await this.#staged(secrets);
      await this.#journal().append({ type: "secret.added", ...whose, body: { name, host, port } });
      await file.become(FILE);
      this.#stored = secrets;
    });
    this.#onAdded();
  }

  /** The value is removed first: no secret is used that is gone according to a record. */
  async remove(name: string, by: string): Promise<void> {
    requireText("name", name);
    requireText("by", by);
    await this.#changes.run(async () => {
      const rest = new Map(this.#all());
      if (!rest.delete(name)) {
        throw new FemtoError("FEMTO_SECRET_NOT_FOUND", `there is no secret named ${printable(name, 64)}`);
      }
      await using file = await this.#staged(rest);
      await file.become(FILE);
      this.#stored = rest;
      const whose = { actor: operatorActor(by), session: null, execution: null };
      await this.#journal().append({ type: "secret.removed", ...whose, body: { name } });
    });
  }

  async #staged(secrets: ReadonlyMap<string, NewSecret>): Promise<StagedFile> {
    try {
      return await stageFile(this.#folder, `${JSON.stringify([...secrets.values()])}\n`);
    } catch (error) {
      const reason = `${printable(this.#folder, 4_096)} takes no secrets: ${systemErrorCode(error) ?? errorText(error)}`;
      const fix = "Free space on the disk of the state directory, or let the host write there. Nothing was changed.";
      throw new FemtoError("FEMTO_SURROUNDINGS", reason, { fix, cause: error });
    }
  }

  #all(): ReadonlyMap<string, NewSecret> {
    this.#stored ??= new Map(readSecrets(join(this.#folder, FILE)).map((secret) => [secret.name, secret]));
    return this.#stored;
  }
}

const NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;
const VALUE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

function check({ name, host, port, value }: NewSecret, stored: ReadonlyMap<string, NewSecret>): void {
  const { secretCharsMin, secretChars } = LIMITS;
  if (!NAME.test(name)) throw invalid("a name consists of 1 to 64 lower-case letters, digits, `_` and `-`");
  const spelt = canonicalHost(host);
  if (!spelt.ok || spelt.host !== host) throw invalid("a secret is for one host, in its canonical spelling");
  if (portNumber(String(port)) === null) throw invalid("a port is a number from 1 to 65535");
  if (stored.has(name)) throw invalid(`a secret named ${name} exists already`);
  if (stored.size >= LIMITS.secrets) throw invalid(`no more than ${LIMITS.secrets} secrets are stored`);
  if (value.length < secretCharsMin || value.length > secretChars || !VALUE.test(value)) {
    throw invalid(`a value consists of ${secretCharsMin} to ${secretChars} printable ASCII characters on one line`);
  }
}

function invalid(message: string): FemtoError {
  return new FemtoError("FEMTO_SECRET_INVALID", message);
}

// INVARIANT: I10: a file that others can read or change holds no secret that is sent anywhere.
function readSecrets(path: string): NewSecret[] {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return [];
    throw new FemtoError("FEMTO_STATE_MODE", `${path} cannot be read (${systemErrorCode(error) ?? "unknown cause"})`);
  }
  try {
    const { uid, mode, nlink } = fstatSync(descriptor);
    if (uid !== ownUser(process.getuid) || (mode & 0o77) !== 0 || nlink !== 1) {
      throw new FemtoError("FEMTO_STATE_MODE", `${path} is not a file of this user alone`);
    }
    return parsed(readFileSync(descriptor, "utf8"), path);
  } finally {
    closeSync(descriptor);
  }
}

function parsed(text: string, path: string): NewSecret[] {
  try {
    const all = parseJson(text) as NewSecret[];
    const checked = new Map<string, NewSecret>();
    for (const { name, host, port, value } of all) {
      check({ name, host, port, value }, checked);
      checked.set(name, { name, host, port, value });
    }
    return [...checked.values()];
  } catch {
    // The cause is not reported, because it would quote the file.
    throw new FemtoError("FEMTO_SECRET_INVALID", `${path} does not hold what was stored`);
  }
}
