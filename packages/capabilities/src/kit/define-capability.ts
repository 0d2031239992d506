/**
 * What an author of a capability writes: what it declares, as data, and one function. The same definition runs out of
 * process, where its package is named in a configuration, or in this process, where an embedder trusts it.
 */
import {
  type CapabilityManifest,
  describeViolations,
  errorText,
  FemtoError,
  LIMITS,
  printable,
  validateManifest,
} from "@femtoclaw/protocol";
import type { Capability, CapabilityCall, JsonObject } from "../capability.ts";
import { readWhole } from "../files/kept.ts";
import { requireType } from "../files/path-argument.ts";
import { changeOutcome } from "../outcome.ts";
import { createdPointers, placeContents } from "./placed-contents.ts";

/** What the function gets: what its call was decided on, and no way to anything else. */
export interface RunCall {
  /** Valid against the manifest's input schema. */
  readonly args: JsonObject;
  /** What the files hold that the call names for reading, by the pointers of their arguments. */
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** Gives what a path that the call may create is to hold, by its pointer; it is put there once the function is done. */
  put(pointer: string, content: Uint8Array | string): void;
}

/** A capability as its author writes it. */
export interface CapabilityDefinition {
  /** A `CapabilityManifest`, as it stands in `capability.json`; who loads it checks it. */
  readonly manifest: object;
  /** What it resolves with is the result; what it throws is the reason of a failure. */
  run(call: RunCall): Promise<JsonObject> | JsonObject;
}

/** Returns what it is given, with its type checked; inside the sandbox it stands under the same name. */
export function defineCapability(definition: CapabilityDefinition): CapabilityDefinition {
  return definition;
}

/**
 * The definition as a capability that runs in this process, with all rights of this process. Throws
 * FEMTO_CONFIG_INVALID for a manifest that is none. INVARIANT: who wants that says so: every record of it does, too.
 */
export function trustedCapability(
  { manifest: declared, run }: CapabilityDefinition,
  trust: { readonly trusted: true },
): Capability {
  if (!validateManifest(declared)) {
    const message = `a manifest is none: ${describeViolations(validateManifest.errors ?? [])}`;
    throw new FemtoError("FEMTO_CONFIG_INVALID", message);
  }
  const manifest = declared as CapabilityManifest;
  return {
    manifest,
    isolation: "in-process",
    trusted: trust.trusted,
    ...(createdPointers(manifest).length === 0 ? {} : { keeps: "content" as const }),
    execute: async (call) =>
      await changeOutcome(call.signal, async () => {
        const contents = new Map<string, Buffer>();
        const put: RunCall["put"] = (pointer, content) => void contents.set(pointer, Buffer.from(content as string));
        const result = await ran(async () => run({ args: call.args, files: await readFiles(call, manifest), put }));
        return { result, left: await placeContents(call, manifest, contents) };
      }),
  };
}

/** What a stranger's function throws is a failure of its call, and no bug of the host. */
async function ran(run: () => Promise<JsonObject>): Promise<JsonObject> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof FemtoError) throw error;
    throw new FemtoError("FEMTO_CAPABILITY_FAILED", printable(errorText(error), LIMITS.reasonChars));
  }
}

/** LIMIT: bytes of all files that a call names for reading; each call copies them. */
const FILES_BYTES = 33_554_432;

/** INVARIANT: what is read is what was decided on, through the descriptors that the facts hold. */
export async function readFiles(
  { bound, signal }: Pick<CapabilityCall, "bound" | "signal">,
  manifest: CapabilityManifest,
): Promise<Record<string, Buffer>> {
  const files: Record<string, Buffer> = {};
  let left = FILES_BYTES;
  for (const declared of manifest.arguments) {
    if (declared.kind !== "path" || declared.access !== "read") continue;
    signal.throwIfAborted();
    const path = bound.path(declared.pointer);
    const content = await readWhole(requireType(path, "file"), left);
    if (content === null) {
      const most = `at most ${FILES_BYTES} bytes are read for one call`;
      throw new FemtoError("FEMTO_FILE_TOO_LARGE", `${printable(path.path)} is larger: ${most}`);
    }
    left -= content.length;
    files[declared.pointer] = content;
  }
  return files;
}
