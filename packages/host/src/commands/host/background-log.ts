/** The log file of a host in the background. Each start appends to it. */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { errorText, FemtoError, isOutOfRoom, outOfRoom, printable, systemErrorCode } from "@femtoclaw/protocol";

/** LIMIT: bytes of its log that are shown if a host did not come up. */
const SAID_BYTES_MAX = 65_536;

export class BackgroundLog implements Disposable {
  readonly path: string;
  readonly descriptor: number;
  readonly #start: number;

  constructor(path: string) {
    this.path = path;
    const { O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
    try {
      this.descriptor = openSync(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
    } catch (error) {
      throw unopened(path, systemErrorCode(error) ?? errorText(error), error);
    }
    const status = fstatSync(this.descriptor);
    // A pipe that nobody reads would fill up, and the host would then wait for ever to write to it.
    if (!status.isFile()) throw unopened(path, "it is no regular file");
    this.#start = status.size;
  }

  /** The first part of what has been logged since this start began. */
  sinceStart(): Buffer {
    const buffer = Buffer.alloc(SAID_BYTES_MAX);
    return buffer.subarray(0, readSync(this.descriptor, buffer, 0, buffer.length, this.#start));
  }
  /** Closes it here. A host that writes to it has a descriptor of its own. */
  [Symbol.dispose](): void {
    closeSync(this.descriptor);
  }
}

function unopened(path: string, reason: string, cause?: unknown): FemtoError {
  const said = `${printable(path, 4_096)} cannot be opened: ${reason}`;
  if (isOutOfRoom(cause)) return outOfRoom(said, cause);
  const fix = "Let the host write to its state directory, or name another one with --state. Nothing is damaged.";
  return new FemtoError("FEMTO_JOURNAL_WRITE_FAILED", said, { fix, cause });
}
