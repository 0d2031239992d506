/**
 * Resources and prompts of MCP servers: how they are named, and by which tool of their server each is reached. A server
 * has two such tools beside its own; to facts and rules they are tools like any other.
 */

export const RESOURCE_READ = "mcp_resource_read";
export const PROMPT_GET = "mcp_prompt_get";

export type McpContentKind = "resource" | "template" | "prompt";

/** What a server offers of them, as clients are told. */
export interface McpContent {
  readonly kind: McpContentKind;
  /** The uri, the template of one, or the name of a prompt. */
  readonly name: string;
  /** Of what the server says of it: name, title, description, type, arguments. */
  readonly about: Readonly<Record<string, unknown>>;
}

export function readerOf(kind: McpContentKind): typeof RESOURCE_READ | typeof PROMPT_GET {
  return kind === "prompt" ? PROMPT_GET : RESOURCE_READ;
}

export function isReader(tool: string): boolean {
  return tool === RESOURCE_READ || tool === PROMPT_GET;
}

/** LIMIT: characters of a uri; one that is longer is no name that anybody would read before agreeing to it. */
const URI_CHARS = 512;
/** LIMIT: folders of a uri, each of which is a fact of its own. */
const URI_FOLDERS = 32;
/** LIMIT: variables of one template; matching takes that many passes over a uri. */
const TEMPLATE_VARIABLES = 8;

const PLAIN_URI = /^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x5b\x5d-\x7e]+$/;
/** What readers of a uri take for a dot or a slash, whoever wrote it. */
const ENCODED = /%(?:2e|2f|5c|00)/i;
/** A letter, a digit, `-`, `_` or `~` as its code: the same uri to its server, and another text to rules and pins. */
const SPELT_ANEW = /%(?:2d|3\d|[46][1-9a-f]|[57][\da]|5f|7e)/i;
const DOTS = /(?:^|[/:])\.{1,2}(?:[/?#]|$)/;

/**
 * Why nothing is read by such a uri; null where it is plain. INVARIANT: what a rule says of a folder holds for all that a
 * uri can lead to: none leads out of the folder that it begins with, or into one that it does not name.
 */
export function uriProblem(uri: string): string | null {
  if (uri.length > URI_CHARS) return `it is longer than ${URI_CHARS} characters`;
  if (!PLAIN_URI.test(uri)) return "it is no plain uri";
  if (uri.endsWith("/*")) return "it is what a rule calls a folder";
  if (ENCODED.test(uri) || DOTS.test(uri)) return "it could lead out of its folder";
  if (SPELT_ANEW.test(uri)) return "it has another spelling, without codes for letters and digits";
  return uri.split("/").length > URI_FOLDERS ? `it has more than ${URI_FOLDERS} folders` : null;
}

/** The folders that a uri lies in, each as a rule names all that is below it: `docs://guide/*`. */
export function uriFolders(uri: string): string[] {
  const path = uri.split(/[?#]/, 1)[0] ?? "";
  // Each slash ends a folder, also one of several: what is below `a/` is also below `a//`.
  return [...path.matchAll(/\//g)].map(({ index }) => `${path.slice(0, index + 1)}*`);
}

const VARIABLE = /\{([^{}]*)\}/;

/** Why no uri is matched against such a template; null where one can be. */
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
 * Whether the template can make the uri: a variable stands for one or more characters, and for a slash only where the
 * template says so. Templates are a stranger's, so the time is bounded: one pass over the uri for each of its parts.
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
  /** Whether the variable also stands for slashes. */
  readonly isAny: boolean;
  /** What follows it. */
  readonly literal: string;
  readonly isLast: boolean;
}

/** Where the literal behind a variable ends, for each place where the variable may begin. */
function pastVariable(uri: string, starts: ReadonlySet<number>, { isAny, literal, isLast }: Step): Set<number> {
  const ends = new Set<number>();
  let isWithin = false;
  for (let at = 0; at <= uri.length; at += 1) {
    // Within a variable that has at least one character.
    if (isWithin && uri.startsWith(literal, at) && (!isLast || at + literal.length === uri.length)) {
      ends.add(at + literal.length);
    }
    const isBound = !isAny && "/?#".includes(uri[at] ?? "/");
    isWithin = (isWithin || starts.has(at)) && !isBound;
  }
  return ends;
}

/** The text around the variables, one more than there are of these. */
function partsOf(template: string): { readonly literals: readonly string[]; readonly variables: readonly string[] } {
  const parts = template.split(VARIABLE);
  return {
    literals: parts.filter((_, index) => index % 2 === 0),
    variables: parts.filter((_, index) => index % 2 === 1),
  };
}
