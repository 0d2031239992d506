/** The file of a frozen machine, in the standalone executable. */
import { asset } from "@femtoclaw/protocol/asset";

export async function machineBytes(url: string): Promise<Uint8Array> {
  return asset(url);
}
