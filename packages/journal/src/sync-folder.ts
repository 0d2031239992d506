/** Makes the names in a folder durable; syncing a file makes only its contents so. */
import { open } from "node:fs/promises";

export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
