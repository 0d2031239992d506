/** The files and folders around an effect that does next to nothing. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * More than the some two hundred decisions that a session remembers, so that none is remembered when its file comes
 * again.
 */
const FILES = 4_096;

/** The folders that the rules name, created if missing. */
export function noopFolders(directory: string): { readonly read: string[]; readonly write: string[] } {
  const folders = Array.from({ length: 16 }, (_, index) => join(directory, "workspace", `folder-${index}`));
  for (const folder of folders) mkdirSync(folder, { recursive: true });
  return { read: folders.slice(0, 12), write: folders.slice(12) };
}

/** Empty files to stat, in a readable folder. */
export function noopFiles(directory: string): string[] {
  const [folder = directory] = noopFolders(directory).read;
  return Array.from({ length: FILES }, (_, index) => {
    const path = join(folder, `file-${index}`);
    writeFileSync(path, "");
    return path;
  });
}
