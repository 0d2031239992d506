/** What a new log states about the log that it continues. */
import type { LogParent } from "@femtoclaw/protocol";
import { hashReader } from "../audit/inclusion.ts";
import { readKeyChain } from "../journal-opening.ts";
import type { LogReader } from "../journal-reader.ts";
import { encodeBase64 } from "../tree/base64.ts";
import { rootOf } from "../tree/proof.ts";

/** Describes the log as it was when it held `size` records, at least one. */
export async function parentAt(reader: LogReader, size: number, reason: LogParent["reason"]): Promise<LogParent> {
  const chain = await readKeyChain(reader);
  const root = encodeBase64(await rootOf(size, hashReader(reader)));
  return { origin: chain.origin, vkey: chain.inForceAt(size)?.vkey ?? chain.current, size, root, reason };
}
