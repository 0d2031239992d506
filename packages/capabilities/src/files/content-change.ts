/** The parts shared by capabilities that write the content of one file: their manifest, and what they leave behind. */
import { type CapabilityManifest, type LeftBehind, LIMITS } from "@femtoclaw/protocol";
import type { Kept } from "./kept.ts";

interface ContentChange extends Pick<CapabilityManifest, "name" | "version" | "description" | "input"> {
  /** Pointer to the argument that holds the content. */
  readonly content: string;
  /** Descriptions of the two members of the result. */
  readonly result: { readonly bytes: string; readonly sha256: string };
}

/** The manifest of a capability that changes the file at `/path`. */
export function contentManifest({ content, result, ...own }: ContentChange): CapabilityManifest {
  return {
    ...own,
    output: {
      type: "object",
      additionalProperties: false,
      required: ["bytes", "sha256"],
      properties: {
        bytes: { type: "integer", minimum: 0, description: result.bytes },
        sha256: { type: "string", description: result.sha256 },
      },
    },
    arguments: [
      { pointer: "/path", kind: "path", access: "create" },
      { pointer: content, kind: "size" },
    ],
    effect: "write",
    idempotent: false,
    limits: { timeout_ms: LIMITS.timeoutCeilingMs, output_bytes: LIMITS.outputCeilingBytes },
  };
}

/** INVARIANT: a change can be undone only if what it replaced is what was kept. */
export function leftOf(left: LeftBehind, [before]: readonly Kept[], replaced: string): LeftBehind | null {
  return before?.content != null && before.state === replaced ? left : null;
}
