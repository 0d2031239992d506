/** Makes the names in a folder durable. Syncing a file does that only for its contents. */
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";

export async function syncFolder(path: string): Promise<void> {
  await sync(path);
}

/** Makes everything below a folder durable that was written without a sync of its own. */
export async function syncTree(path: string): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const below = join(path, entry.name);
    if (entry.isDirectory()) await syncTree(below);
    else if (entry.isFile()) await sync(below);
  }
  await sync(path);
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
