/**
 * Resources and prompts of MCP servers: how they are named, and by which tool of their server each is reached. A server
 * has these two tools besides its own; facts and rules treat them like any other tool.
 */

export const RESOURCE_READ = "mcp_resource_read";
export const PROMPT_GET = "mcp_prompt_get";

export type McpContentKind = "resource" | "template" | "prompt";

/** A resource, template or prompt that a server offers, as clients are told. */
export interface McpContent {
  readonly kind: McpContentKind;
  /** The uri, the uri template, or the name of the prompt. */
  readonly name: string;
  /** The server's description: name, title, description, type, arguments. */
  readonly about: Readonly<Record<string, unknown>>;
}

export function readerOf(kind: McpContentKind): typeof RESOURCE_READ | typeof PROMPT_GET {
  return kind === "prompt" ? PROMPT_GET : RESOURCE_READ;
}

export function isReader(tool: string): boolean {
  return tool === RESOURCE_READ || tool === PROMPT_GET;
}

/** LIMIT: characters of a uri; nobody would read a longer one before agreeing to it. */
const URI_CHARS = 512;
/** LIMIT: folders of a uri, each of which is a fact of its own. */
const URI_FOLDERS = 32;
/** LIMIT: variables of one template; matching takes that many passes over a uri. */
const TEMPLATE_VARIABLES = 8;

const PLAIN_URI = /^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x5b\x5d-\x7e]+$/;
/** Codes that some readers of a uri take for a dot, a slash or an end. */
const ENCODED = /%(?:2e|2f|5c|00)/i;
/**
 * A letter, a digit, `-`, `_` or `~` written as a code: the same uri to its server, but another text to rules and pins.
 */
const SPELT_ANEW = /%(?:2d|3\d|[46][1-9a-f]|[57][\da]|5f|7e)/i;
const DOTS = /(?:^|[/:])\.{1,2}(?:[/?#]|$)/;

/**
 * Why such a uri is not read; null if it is plain. INVARIANT: what a rule says of a folder holds for everything that a
 * uri can lead to: no uri leads out of the folder that it begins with, or into one that it does not name.
 */
export function uriProblem(uri: string): string | null {
  if (uri.length > URI_CHARS) return `it is longer than ${URI_CHARS} characters`;
  if (!PLAIN_URI.test(uri)) return "it is no plain uri";
  if (uri.endsWith("/*")) return "it is what a rule calls a folder";
  if (ENCODED.test(uri) || DOTS.test(uri)) return "it could lead out of its folder";
  if (SPELT_ANEW.test(uri)) return "it has another spelling, without codes for letters and digits";
  return uri.split("/").length > URI_FOLDERS ? `it has more than ${URI_FOLDERS} folders` : null;
}

/** The folders that a uri lies in, each written as a rule names everything below it: `docs://guide/*`. */
export function uriFolders(uri: string): string[] {
  const path = uri.split(/[?#]/, 1)[0] ?? "";
  // Each slash ends a folder, even one of several in a row: what is below `a/` is also below `a//`.
  return [...path.matchAll(/\//g)].map(({ index }) => `${path.slice(0, index + 1)}*`);
}

const VARIABLE = /\{([^{}]*)\}/;

/** Why no uri is matched against such a template; null if one can be. */
export function templateProblem(template: string): string | null {
  if (template.length > URI_CHARS) return `it is longer than ${URI_CHARS} characters`;
  const { literals, variables } = partsOf(template);
  if (literals.some((literal) => /[{}]/.test(literal))) return "its braces do not match";
  if (variables.length === 0) return "it has no variable";
  if (variables.length > TEMPLATE_VARIABLES) return `it has more than ${TEMPLATE_VARIABLES} variables`;
  const odd = variables.find((variable) => !/^\+?[A-Za-z0-9_]+\*?$/.test(variable));
  if (odd !== undefined) return `it uses {${odd}}, which is not understood here`;
  const filled = literals.join("x");
  return uriProblem(filled) === null ? null : "what it makes is no plain uri";
}

/**
 * Whether the template can make the uri. A variable stands for one or more characters, and for a slash only if the
 * template says so. Templates come from strangers, so the time is bounded: one pass over the uri for each part.
 */
export function matchesTemplate(template: string, uri: string): boolean {
  const { literals, variables } = partsOf(template);
  const [first = "", ...rest] = literals;
  if (!uri.startsWith(first)) return false;
  let ends = new Set([first.length]);
  for (const [index, literal] of rest.entries()) {
    const isAny = variables[index]?.startsWith("+") === true;
    ends = pastVariable(uri, ends, { isAny, literal, isLast: index === rest.length - 1 });
  }
  return ends.has(uri.length);
}

interface Step {
  /** Whether the variable may also contain slashes. */
  readonly isAny: boolean;
  /** The literal that follows the variable. */
  readonly literal: string;
  readonly isLast: boolean;
}

/** Where the literal after a variable ends, for each place at which the variable may begin. */
function pastVariable(uri: string, starts: ReadonlySet<number>, { isAny, literal, isLast }: Step): Set<number> {
  const ends = new Set<number>();
  let isWithin = false;
  for (let at = 0; at <= uri.length; at += 1) {
    // Here the variable already has at least one character.
    if (isWithin && uri.startsWith(literal, at) && (!isLast || at + literal.length === uri.length)) {
      ends.add(at + literal.length);
    }
    const isBound = !isAny && "/?#".includes(uri[at] ?? "/");
    isWithin = (isWithin || starts.has(at)) && !isBound;
  }
  return ends;
}

/** The literals around the variables (one more than there are variables), and the variables. */
function partsOf(template: string): { readonly literals: readonly string[]; readonly variables: readonly string[] } {
  const parts = template.split(VARIABLE);
  return {
    literals: parts.filter((_, index) => index % 2 === 0),
    variables: parts.filter((_, index) => index % 2 === 1),
  };
}
