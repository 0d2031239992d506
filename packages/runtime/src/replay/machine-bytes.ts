/** The file of a frozen machine, from the sources. */
import { readFile } from "node:fs/promises";

export async function machineBytes(url: string): Promise<Uint8Array> {
  return await readFile(new URL(url));
}
