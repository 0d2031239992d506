/** Small files of this user alone that are there whole, as they were before or as they are now, whatever happens. */
import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { makeFolders } from "./make-folders.ts";
import { syncFolder } from "./sync-folder.ts";

/** Durable when it resolves. The folder is made where it is missing. */
export async function replaceFile(folder: string, name: string, text: string): Promise<void> {
  makeFolders(folder, 0o700);
  const next = join(folder, `${randomUUID()}.next`);
  try {
    const file = await open(next, "wx", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(next, join(folder, name));
  } catch (error) {
    await rm(next, { force: true });
    throw error;
  }
  await syncFolder(folder);
}
