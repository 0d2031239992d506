/** The annotations of a policy: which ones are valid, and what they say. */
import { nearestName, printable } from "@femtoclaw/protocol";
import type { ParsedPolicy } from "./expression.ts";

/** INVARIANT: a misspelt annotation has no meaning to the engine, so an unknown one is always reported. */
const KNOWN = ["id", "reason", "fix", "approval", "unsafe"];

/** A name that can stand in records, replies and file names without quoting. */
const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** LIMIT: characters of a reason or fix, which is shown as one line. */
const TEXT_CHARS_MAX = 500;
/** LIMIT: operators that one question may need, 1 to 9; more will not be reached before it expires. */
const APPROVERS = /^[1-9]?$/;

interface Annotations {
  readonly id: string;
  readonly reason?: string;
  readonly fix?: string;
  readonly approvers?: number;
}

interface AnnotationFinding {
  readonly message: string;
  /** The annotation that the finding is about; null if one is missing. */
  readonly name: string | null;
}

export function annotationsOf({ annotations = {} }: ParsedPolicy): Annotations {
  const { id, reason, fix, approval } = annotations;
  return {
    id: id ?? "",
    ...(typeof reason === "string" ? { reason } : {}),
    ...(typeof fix === "string" ? { fix } : {}),
    ...(approval === undefined ? {} : { approvers: Number(approval) || 1 }),
  };
}

export function annotationFindings({ effect, annotations = {} }: ParsedPolicy): AnnotationFinding[] {
  const findings = Object.entries(annotations).flatMap(([name, value]) => {
    const isMisplaced = name === "unsafe" && effect === "forbid";
    const message = isMisplaced ? "@unsafe stands on a permit; a forbid opens nothing" : fault(name, value ?? "");
    return message === null ? [] : [{ name, message }];
  });
  if (Object.hasOwn(annotations, "id")) return findings;
  return [...findings, { name: null, message: 'the policy has no @id("name"), by which decisions could name it' }];
}

function fault(name: string, value: string): string | null {
  switch (name) {
    case "id":
      return ID.test(value)
        ? null
        : `@id takes 1 to 64 letters, digits, \`.\`, \`_\` and \`-\`, found "${printable(value)}"`;
    case "reason":
    case "fix":
    case "unsafe":
      return value.trim() !== "" && value.length <= TEXT_CHARS_MAX
        ? null
        : `@${name} takes a text of 1 to ${TEXT_CHARS_MAX} characters`;
    case "approval":
      return APPROVERS.test(value)
        ? null
        : `@approval takes the number of operators who have to say yes, "1" to "9", found "${printable(value)}"`;
    default: {
      const nearest = nearestName(name, KNOWN);
      const hint =
        nearest === undefined
          ? `known are ${KNOWN.map((known) => `@${known}`).join(", ")}`
          : `did you mean @${nearest}?`;
      return `unknown annotation @${printable(name, 60)}; ${hint}`;
    }
  }
}
