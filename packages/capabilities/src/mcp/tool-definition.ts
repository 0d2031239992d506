/**
 * The tools of an MCP server, as far as they can be offered: limited in size, plain, and identified by a digest of the
 * whole definition.
 */
import { createHash } from "node:crypto";
import { FemtoError, holdsInexact, isMcpToolName, isReader, LIMITS, mcpToolName } from "@femtoclaw/protocol";
import type { JsonObject } from "../capability.ts";
import { schemaProblem } from "./argument-check.ts";
import { canonicalJson } from "./canonical-json.ts";

/** A tool as its server lists it. */
export interface ToolDefinition {
  readonly name: string;
  readonly description: string;
  readonly input: JsonObject;
  /** Everything that clients see of it, as canonical JSON. */
  readonly text: string;
  /** Digest of that text. */
  readonly sha256: string;
  /** Size of the definition. */
  readonly bytes: number;
  /** Whether the server itself calls it destructive. */
  readonly destructive: boolean;
  /** Why it cannot be offered even with an operator's consent; null if it can. */
  readonly problem: string | null;
}

/** The pinned members: everything that tells a model or a person what a tool is. */
const PINNED = ["name", "title", "description", "inputSchema", "outputSchema", "annotations"] as const;

/**
 * INVARIANT: a person can read whatever a model reads. So text is refused that is invisible, appears in another order
 * than it is written, or makes a terminal show something else. Emoji need some of these characters, one or two at a
 * time; more of them in a row could encode a hidden text.
 */
const HIDING =
  /[[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb\u2028\u2029\u2800\u007f-\u009f]--[\u200c\u200d\ufe0e\ufe0f]]|[\u200c\u200d\ufe0e\ufe0f]{3}/v;
/** The same in JSON, where such characters appear as escapes; tabs and line ends are ordinary text. */
const CONTROLLING = /(?<!\\)(?:\\\\)*\\(?:b|f|u00|r(?!\\n))/;

/** INVARIANT: two definitions never have one digest because their numbers became the same. */
export const INEXACT = "its definition holds a number that cannot be held exactly";

/** The domain of the digests of tools. */
export const TOOL_DOMAIN = "femtoclaw-mcp-tool-1";

/** Throws FEMTO_UPSTREAM_FAILED if this is not a list of tools, or too long a list. */
export function toolDefinitions(server: string, listed: readonly unknown[]): ToolDefinition[] {
  if (listed.length > LIMITS.upstreamTools) {
    throw new FemtoError("FEMTO_UPSTREAM_FAILED", `it offers more than ${LIMITS.upstreamTools} tools`);
  }
  const definitions = listed.map((tool) => toolDefinition(server, tool));
  const bytes = definitions.reduce((sum, found) => sum + found.bytes, 0);
  if (bytes > LIMITS.upstreamListBytes) {
    throw new FemtoError(
      "FEMTO_UPSTREAM_FAILED",
      `its tools have definitions of more than ${LIMITS.upstreamListBytes} bytes`,
    );
  }
  const counts = new Map<string, number>();
  for (const { name } of definitions) counts.set(name, (counts.get(name) ?? 0) + 1);
  return definitions
    .map((found) => ((counts.get(found.name) ?? 0) > 1 ? { ...found, problem: "it is offered twice" } : found))
    .sort((left, right) => (left.name < right.name ? -1 : 1));
}

function toolDefinition(server: string, tool: unknown): ToolDefinition {
  const raw = Object(tool) as Readonly<Record<string, unknown>>;
  const { name, description = "", inputSchema, annotations } = raw;
  if (typeof name !== "string" || name === "" || name.length > 128) {
    throw new FemtoError("FEMTO_UPSTREAM_FAILED", "it offers a tool without a proper name");
  }
  const pinned = Object.fromEntries(PINNED.flatMap((key) => (raw[key] === undefined ? [] : [[key, raw[key]]])));
  const problem = shapeProblem(pinned);
  const text = problem === null ? canonicalJson(pinned) : name;
  const hints = Object(annotations) as { readonly destructiveHint?: unknown };
  return {
    name,
    description: typeof description === "string" ? description : "",
    input: (problem === null ? inputSchema : {}) as JsonObject,
    text,
    sha256: digest(TOOL_DOMAIN, text),
    bytes: Buffer.byteLength(text),
    destructive: hints.destructiveHint === true,
    problem: problem ?? contentProblem(server, name, text, inputSchema),
  };
}

/** Checks the shape, on which everything that follows relies. */
function shapeProblem(pinned: Readonly<Record<string, unknown>>): string | null {
  const { description = "", inputSchema } = pinned;
  if (typeof description !== "string") return "its description is no text";
  if (typeof inputSchema !== "object" || inputSchema === null || Array.isArray(inputSchema))
    return "it has no input schema";
  if (isDeeperThan(pinned, LIMITS.jsonDepth)) return `its definition is nested deeper than ${LIMITS.jsonDepth} levels`;
  if (holdsInexact(pinned)) return INEXACT;
  return null;
}

function contentProblem(server: string, name: string, text: string, inputSchema: unknown): string | null {
  const bytes = Buffer.byteLength(text);
  if (bytes > LIMITS.upstreamDefinitionBytes) {
    return `its definition has ${bytes} bytes where ${LIMITS.upstreamDefinitionBytes} are the most`;
  }
  if (isReader(name)) return "its name is that of what reads the server's resources or gets its prompts";
  if (!isMcpToolName(name)) return "its name has other characters than letters, digits, `_` and `-`";
  if (mcpToolName(server, name).length > LIMITS.upstreamToolChars) {
    return `its name is longer than ${LIMITS.upstreamToolChars} characters with that of its server`;
  }
  return textProblem(text) ?? schemaProblem(inputSchema as JsonObject);
}

/** Text that no model is shown, wherever a server says it; `text` is JSON. */
export function textProblem(text: string): string | null {
  if (!text.isWellFormed() || /\\ud[89a-f]/.test(text)) return "its definition is not well-formed Unicode";
  return HIDING.test(text) || CONTROLLING.test(text) ? "its definition holds characters that nobody sees" : null;
}

/** Identifies everything that a server offers, in whatever order it is listed. */
export function toolSetDigest(tools: readonly { readonly name: string; readonly sha256: string }[]): string {
  const lines = tools.map(({ name, sha256 }) => canonicalJson([name, sha256])).sort();
  return digest("femtoclaw-mcp-tools-1", lines.join("\n"));
}

/** The domain keeps digests of different kinds of things apart. */
export function digest(domain: string, text: string): string {
  return createHash("sha256").update(`${domain}\n${text}`).digest("hex");
}

/** Not recursive, because the depth is what is not known yet. */
export function isDeeperThan(value: unknown, levels: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > levels) return true;
    level = level.flatMap((one) => (typeof one === "object" && one !== null ? Object.values(one) : []));
  }
  return false;
}
