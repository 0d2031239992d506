/** Puts what a capability gave for the paths of its call in its place: whole files, at decided places and no others. */
import { createHash } from "node:crypto";
import { type CapabilityManifest, FemtoError, type LeftBehind, printable } from "@femtoclaw/protocol";
import type { CapabilityCall } from "../capability.ts";
import { leftOf } from "../files/content-change.ts";
import { versionOf } from "../files/kept.ts";
import { createFile, replaceFile } from "../files/placement.ts";

/** What was left, for an undo; null where nothing was written, or it cannot be undone. */
export async function placeContents(
  call: Pick<CapabilityCall, "id" | "bound" | "kept" | "signal">,
  manifest: CapabilityManifest,
  contents: ReadonlyMap<string, Buffer>,
): Promise<LeftBehind | null> {
  const { bound, kept } = call;
  const places = createdPointers(manifest);
  for (const pointer of contents.keys()) {
    if (places.includes(pointer)) continue;
    const message = `it gave a content for ${printable(pointer, 100)}, which its manifest declares for no file to create`;
    throw new FemtoError("FEMTO_CAPABILITY_FAILED", message);
  }
  // A manifest declares one at the most, so that all of a call's effect comes in one step.
  const [[pointer, content] = []] = contents;
  if (pointer === undefined || content === undefined) return null;
  const path = bound.path(pointer);
  const sha256 = createHash("sha256").update(content).digest("hex");
  if (path.target === null) return { sha256, version: versionOf(await createFile(path, content, call)) };
  const { placed, state } = await replaceFile(path, content, call);
  return leftOf({ sha256, version: versionOf(placed) }, kept, state);
}

export function createdPointers({ arguments: declared }: CapabilityManifest): string[] {
  return declared.flatMap((one) => (one.kind === "path" && one.access === "create" ? [one.pointer] : []));
}
