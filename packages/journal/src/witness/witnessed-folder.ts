/**
 * The newest checkpoint that each witness took, stored beside the journal and not in it, so that rolling back the
 * journal alone is noticed. This is no proof: anybody who can write here can change both.
 */
import { constants } from "node:fs";
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { errorText, FemtoError, printable, systemErrorCode } from "@femtoclaw/protocol";
import { replaceFile } from "../state-directory/replace-file.ts";
import { NOTE_CHARS_MAX } from "../tree/signed-note.ts";

const FOLDER = "witnessed";
const SUFFIX = ".checkpoint";
/** LIMIT: bytes of one file; a note with a cosignature has a few hundred. */
const FILE_BYTES_MAX = 4 * NOTE_CHARS_MAX;

export class WitnessedFolder {
  readonly #path: string;

  constructor(stateDirectory: string) {
    this.#path = join(stateDirectory, FOLDER);
  }

  /** Names of the witnesses that took a checkpoint, sorted. */
  async names(): Promise<readonly string[]> {
    const files = await readdir(this.#path).catch((error: unknown) => {
      if (systemErrorCode(error) === "ENOENT") return [];
      throw unusable(this.#path, error);
    });
    return files
      .filter((file) => file.endsWith(SUFFIX))
      .map((file) => file.slice(0, -SUFFIX.length))
      .sort();
  }

  /** The signed note, with the cosignature if the witness signs; null if the witness took none. */
  async read(name: string): Promise<string | null> {
    const path = this.#file(name);
    try {
      const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      try {
        const buffer = Buffer.alloc(FILE_BYTES_MAX);
        const { bytesRead } = await file.read(buffer, 0, FILE_BYTES_MAX, 0);
        return buffer.toString("utf8", 0, bytesRead);
      } finally {
        await file.close();
      }
    } catch (error) {
      if (systemErrorCode(error) === "ENOENT") return null;
      throw unusable(path, error);
    }
  }

  /** Replaces the previous note, whole and durably. */
  async write(name: string, note: string): Promise<void> {
    try {
      await replaceFile(this.#path, `${name}${SUFFIX}`, note);
    } catch (error) {
      throw unusable(this.#file(name), error);
    }
  }

  #file(name: string): string {
    return join(this.#path, `${name}${SUFFIX}`);
  }
}

function unusable(path: string, error: unknown): FemtoError {
  const reason = `${printable(path, path.length)} cannot be used: ${systemErrorCode(error) ?? errorText(error)}`;
  return new FemtoError("FEMTO_STATE_OWNER", reason, {
    fix: "Let the folder `witnessed` in the state directory belong to the host's user.",
    cause: error,
  });
}
