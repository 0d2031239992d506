/**
 * The one line that a capability of others answers with. It comes from a stranger, so anything that the protocol does
 * not define is refused. Pure.
 */
import { type ErrorCode, FemtoError, type JsonValue, LIMITS, parseStrictJson, printable } from "@femtoclaw/protocol";
import type { SandboxResult } from "@femtoclaw/sandbox";
import type { JsonObject } from "../capability.ts";
import { contentBytes } from "../files/content.ts";

export type RunAnswer =
  | { readonly ok: true; readonly result: JsonObject; readonly contents: ReadonlyMap<string, Buffer> }
  | { readonly ok: false; readonly event: "failed" | "contained"; readonly fault: FemtoError };

/** LIMIT: bytes of an answer around its result, and of what a capability says on stderr beside it. */
export const ENVELOPE_BYTES = 65_536;
/** LIMIT: characters of its last words; they are for the person who mends it. */
const WORDS_CHARS = 500;

const FIELDS = ["id", "result", "error", "contents"];

/** LIMIT: characters of what it said that are looked through for them. */
const HEARD_CHARS = 65_536;

/** Takes out what looks like a secret, before anything is cut. */
type Clean = (text: string) => string;
type Ran = Pick<SandboxResult, "exitCode" | "signal" | "exceeded" | "stdout" | "stderr" | "truncated">;

export function answerIn(ran: Ran, id: string, bytesMax: number, clean: Clean): RunAnswer {
  if (ran.truncated) return contained(`it wrote more than ${bytesMax + ENVELOPE_BYTES} bytes`);
  if (ran.exitCode !== 0) return failed(`it ended with ${endOf(ran)}${lastWords(ran, clean)}`);
  const line = ran.stdout.indexOf(0x0a);
  if (ran.stdout.length === 0) return failed(`it ended without an answer${lastWords(ran, clean)}`);
  if (line !== ran.stdout.length - 1) return contained("it wrote more, or other, than one line to its standard output");
  const parsed = parseStrictJson(ran.stdout.subarray(0, line), {
    bytes: bytesMax + ENVELOPE_BYTES,
    depth: LIMITS.jsonDepth + 2,
    nodes: LIMITS.jsonNodes,
  });
  if (!parsed.ok) return contained(`its answer is no JSON that two readers read alike: ${parsed.fault.reason}`);
  return members(parsed.value, id, clean);
}

function members(value: JsonValue, id: string, clean: Clean): RunAnswer {
  if (!isObject(value)) return contained("its answer is not an object");
  const stray = Object.keys(value).find((name) => !FIELDS.includes(name));
  if (stray !== undefined) return contained(`its answer has the unknown field \`${printable(stray, 64)}\``);
  const { result, error, contents = {} } = value;
  // INVARIANT: an answer is to the call that it names, and to no other.
  if (value["id"] !== id) return contained("its answer is to another call");
  if ((result === undefined) === (error === undefined)) return contained("its answer has not one of result and error");
  if (error !== undefined) {
    if (typeof error !== "string") return contained("its error is no text");
    return failed(printable(clean(error), LIMITS.reasonChars));
  }
  if (result === undefined || !isObject(result)) return contained("its result is not an object");
  if (!isObject(contents)) return contained("its contents are not an object");
  const decoded = new Map<string, Buffer>();
  for (const [pointer, text] of Object.entries(contents)) {
    const bytes = typeof text === "string" ? contentBytes(text, "base64") : null;
    if (bytes === null) return contained(`its content for ${printable(pointer, 100)} is no base64`);
    decoded.set(pointer, bytes);
  }
  return { ok: true, result, contents: decoded };
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function endOf({ exitCode, signal, exceeded }: Ran): string {
  const reached = exceeded.length === 0 ? "" : ` at its limit of ${exceeded.join(", ")}`;
  return `${signal ?? `exit code ${exitCode}`}${reached}`;
}

function lastWords({ stderr }: Ran, clean: Clean): string {
  const said = clean(stderr.toString("utf8").slice(-HEARD_CHARS)).trim();
  return said === "" ? "" : `; it said: ${printable(said.slice(-WORDS_CHARS), WORDS_CHARS)}`;
}

const failed = (reason: string): RunAnswer => refused("failed", "FEMTO_CAPABILITY_FAILED", reason);
const contained = (reason: string): RunAnswer => refused("contained", "FEMTO_CAPABILITY_CONTAINED", reason);

function refused(event: "failed" | "contained", code: ErrorCode, reason: string): RunAnswer {
  return { ok: false, event, fault: new FemtoError(code, reason) };
}
