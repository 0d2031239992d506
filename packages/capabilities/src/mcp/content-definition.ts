/**
 * The resources, resource templates and prompts of an MCP server, as far as they can be offered: what clients are told
 * of them is limited in size, plain, and identified by a digest.
 */
import {
  FemtoError,
  holdsInexact,
  isMcpToolName,
  LIMITS,
  type McpContent,
  type McpContentKind,
  mcpToolName,
  parseJson,
  templateProblem,
  uriProblem,
} from "@femtoclaw/protocol";
import type { JsonObject } from "../capability.ts";
import { canonicalJson } from "./canonical-json.ts";
import { digest, INEXACT, isDeeperThan, TOOL_DOMAIN, textProblem } from "./tool-definition.ts";

/** A resource, template or prompt as its server lists it. */
export interface ContentDefinition extends McpContent {
  /** Its name among the pins, which no tool can have. */
  readonly pin: string;
  /** Its kind, its name, and everything that clients see of it, as canonical JSON. */
  readonly text: string;
  /** Digest of that text. */
  readonly sha256: string;
  readonly bytes: number;
  /** Everything that clients see of it, as text for an operator to read. */
  readonly description: string;
  /** Why it cannot be offered even with an operator's consent; null if it can. */
  readonly problem: string | null;
}

/**
 * The members that are passed on, and so pinned. Times of changes and sizes are not, because they change with every
 * use.
 */
const TOLD = {
  resource: ["name", "title", "description", "mimeType"],
  template: ["name", "title", "description", "mimeType"],
  prompt: ["title", "description", "arguments"],
} as const;
const NAMED_BY = { resource: "uri", template: "uriTemplate", prompt: "name" } as const;

/** The domain of the digests of resources, templates and prompts. */
const DOMAIN = "femtoclaw-mcp-content-1";

/** LIMIT: arguments of one prompt. */
const PROMPT_ARGUMENTS = 32;

/** Whether the text is the definition, of a tool or of anything else, that has this digest. */
export function digestsDefinition(sha256: string, text: string): boolean {
  return [TOOL_DOMAIN, DOMAIN].some((domain) => digest(domain, text) === sha256);
}

/** What clients are told, in the text of a definition. */
export function membersOf(text: string): JsonObject {
  const told = parseJson(text) as JsonObject | readonly [kind: string, name: string, told: JsonObject];
  return Array.isArray(told) ? told[2] : (told as JsonObject);
}

function pinOf(kind: McpContentKind, name: string): string {
  return `${kind}:${name}`;
}

/**
 * INVARIANT: I9: a server that lists too much, or something malformed, offers nothing of this kind; its tools go on.
 */
export function contentDefinitions(
  server: string,
  kind: McpContentKind,
  listed: readonly unknown[],
): ContentDefinition[] {
  if (listed.length > LIMITS.upstreamContents) {
    return [unusable(kind, `the server lists more than ${LIMITS.upstreamContents} of this kind`)];
  }
  const definitions = new Map<string, ContentDefinition>();
  let bytes = 0;
  try {
    for (const one of listed) {
      const found = contentDefinition(server, kind, one);
      const isTwice = definitions.has(found.pin);
      definitions.set(found.pin, isTwice ? { ...found, problem: "it is offered twice" } : found);
      bytes += found.bytes;
    }
  } catch (error) {
    if (error instanceof FemtoError) return [unusable(kind, error.message)];
    throw error;
  }
  if (bytes > LIMITS.upstreamContentsBytes) {
    return [unusable(kind, `the server says more than ${LIMITS.upstreamContentsBytes} bytes of this kind`)];
  }
  return [...definitions.values()].sort((left, right) => (left.pin < right.pin ? -1 : 1));
}

/** Stands for a whole kind of which nothing is offered. */
export function unusable(kind: McpContentKind, problem: string): ContentDefinition {
  const text = canonicalJson([kind, null]);
  const sha256 = digest(DOMAIN, text);
  return { kind, name: "*", pin: pinOf(kind, "*"), about: {}, text, sha256, bytes: 0, description: "", problem };
}

function contentDefinition(server: string, kind: McpContentKind, one: unknown): ContentDefinition {
  const raw = Object(one) as Readonly<Record<string, unknown>>;
  const name = raw[NAMED_BY[kind]];
  if (typeof name !== "string" || name === "") throw new FemtoError("FEMTO_UPSTREAM_FAILED", "one has no proper name");
  const told = Object.fromEntries(TOLD[kind].flatMap((key) => (raw[key] === undefined ? [] : [[key, raw[key]]])));
  const shape = shapeProblem(told);
  const text = canonicalJson(shape === null ? [kind, name, told] : [kind, name]);
  return {
    kind,
    name,
    pin: pinOf(kind, name),
    about: shape === null ? told : {},
    text,
    sha256: digest(DOMAIN, text),
    bytes: Buffer.byteLength(text),
    description: shape === null ? toldText(told) : "",
    problem: shape ?? sizeProblem(text) ?? textProblem(text) ?? nameProblem(server, kind, name),
  };
}

/** Everything that is passed on, for an operator who is to agree. Expects that the shape has no problem. */
function toldText({ arguments: asked, ...texts }: Readonly<Record<string, unknown>>): string {
  const shown = Object.values(texts).map(String);
  return [...shown, ...(asked === undefined ? [] : [`arguments: ${canonicalJson(asked)}`])].join("\n");
}

function shapeProblem({ arguments: asked = [], ...texts }: Readonly<Record<string, unknown>>): string | null {
  if (Object.values(texts).some((text) => typeof text !== "string")) return "what it says of itself is no text";
  if (!Array.isArray(asked) || asked.length > PROMPT_ARGUMENTS || isDeeperThan(asked, 4)) {
    return "its arguments are none";
  }
  if (holdsInexact(asked)) return INEXACT;
  const isArgument = (one: unknown): boolean => {
    const { name, title = "", description = "", required = false } = Object(one) as Readonly<Record<string, unknown>>;
    const isNamed = typeof name === "string" && name !== "" && name.length <= 64;
    return isNamed && typeof title === "string" && typeof description === "string" && typeof required === "boolean";
  };
  return asked.every(isArgument) ? null : "its arguments are none";
}

function sizeProblem(text: string): string | null {
  const bytes = Buffer.byteLength(text);
  const most = LIMITS.upstreamContentBytes;
  return bytes > most ? `its definition has ${bytes} bytes where ${most} are the most` : null;
}

function nameProblem(server: string, kind: McpContentKind, name: string): string | null {
  if (kind === "resource") return uriProblem(name);
  if (kind === "template") return templateProblem(name);
  if (!isMcpToolName(name)) return "its name has other characters than letters, digits, `_` and `-`";
  if (mcpToolName(server, name).length <= LIMITS.upstreamToolChars) return null;
  return `its name is longer than ${LIMITS.upstreamToolChars} characters with that of its server`;
}
