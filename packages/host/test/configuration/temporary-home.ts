/** A home of its own for one test; nothing outside it is touched. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { FemtoError } from "@femtoclaw/protocol";

export class TemporaryHome implements Disposable {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), "femto-")));
  readonly environment: Record<string, string | undefined> = { HOME: join(this.root, "home") };

  path(...names: string[]): string {
    return join(this.root, ...names);
  }

  write(name: string, content: string | Uint8Array): string {
    mkdirSync(dirname(this.path(name)), { recursive: true, mode: 0o755 });
    writeFileSync(this.path(name), content, { mode: 0o644 });
    return this.path(name);
  }

  folder(name: string): string {
    mkdirSync(this.path(name), { recursive: true, mode: 0o755 });
    return this.path(name);
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true });
  }
}

/** The fault that the action throws, or undefined. Anything but a fault is a bug and is thrown on. */
export function faultOf(action: () => unknown): FemtoError | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof FemtoError) return error;
    throw error;
  }
  return undefined;
}
