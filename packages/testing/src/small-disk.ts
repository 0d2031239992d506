/**
 * A real disk of a few megabytes, so that tests can fill one. It is a tmpfs, which only root may mount; if CI is set, a
 * test that needs it fails without it instead of being skipped.
 */
import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, statfsSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Whether a test that needs a small disk runs here. */
export const HAS_SMALL_DISK = process.geteuid?.() === 0 || process.env["CI"] === "true";

export class SmallDisk implements Disposable {
  readonly path: string;
  readonly #ballast: string;

  /** `inodes` is how many files and folders it can hold, the uppermost folder included; many by default. */
  constructor(bytes: number, inodes?: number) {
    this.path = mkdtempSync(join(tmpdir(), "femtoclaw-disk-"));
    this.#ballast = join(this.path, "ballast");
    const options = [`size=${bytes}`, "mode=700", ...(inodes === undefined ? [] : [`nr_inodes=${inodes}`])];
    execFileSync("mount", ["-t", "tmpfs", "-o", options.join(), "femtoclaw-test", this.path]);
  }

  get freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.path);
    return bavail * bsize;
  }

  /** Takes every byte that is left. */
  fill(): void {
    const file = openSync(this.#ballast, "a");
    const chunk = Buffer.alloc(65_536, 1);
    try {
      for (;;) writeSync(file, chunk);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
    } finally {
      closeSync(file);
    }
  }

  /** Gives back what `fill` took. */
  clear(): void {
    rmSync(this.#ballast, { force: true });
  }

  [Symbol.dispose](): void {
    // A lazy unmount, so that a process with a file open there does not block it.
    execFileSync("umount", ["--lazy", this.path]);
    rmdirSync(this.path);
  }
}
