/** A call in a form that a person recognizes, made from its facts. */
import {
  type FactQuestion,
  type Facts,
  type HostQuestion,
  type McpToolQuestion,
  printable,
  RESOURCE_READ,
} from "@femtoclaw/protocol";

/** LIMIT: characters of one path or argument. */
const PART_CHARS = 400;
/** Characters of a digest that are shown; its beginning suffices to recognize it. */
const DIGEST_CHARS = 12;
/** LIMIT: options of a call that are shown. */
const FLAGS_SHOWN = 20;

export function callText(tool: string, facts: Facts | null): string {
  const name = printable(tool, 128);
  return facts === null ? name : `${name} ${facts.questions.map(questionText).join(", ")}`;
}

export function questionText(question: FactQuestion): string {
  switch (question.kind) {
    case "path":
      return printable(question.path, PART_CHARS);
    case "program":
      return programText(question);
    case "host":
      return hostText(question);
    case "mcp_tool":
      return mcpToolText(question);
    case "tool":
      return "";
  }
}

/** Where a request or a connection would go, with the addresses that were found. */
export function hostText({ host, port, addresses, network, injects, hop, ...request }: HostQuestion): string {
  const { scheme, method, path, program } = request;
  const to =
    program === undefined ? `${method} ${scheme}://${host}:${port}${path}` : `${program} connects to ${host}:${port}`;
  const found = addresses.length === 0 ? "not looked up" : `${network.replace("_", "-")}: ${addresses.join(" ")}`;
  const uses = injects.length === 0 ? "" : `, with the stored secrets ${injects.join(" ")}`;
  const redirect = hop === 0 || program !== undefined ? "" : `, redirect ${hop}`;
  return `${printable(to, PART_CHARS)}${uses} (${printable(found, PART_CHARS)}${redirect})`;
}

/** The tool, its server and its current definition, with the arguments that are short enough. */
export function mcpToolText({ server, tool, definition, destructive, values, opaque }: McpToolQuestion): string {
  const harm = destructive ? ", which it calls destructive" : "";
  // A URI's folders are facts for rules. The person who decides is shown the URI itself.
  const isFolder = (value: string): boolean => tool === RESOURCE_READ && value.endsWith('/*"');
  const given = [...values.filter((value) => !isFolder(value)), ...opaque.map((name) => `${name}=…`)].join(" ");
  const what = `${tool} of the MCP server ${server}${harm} (definition ${definition.slice(0, DIGEST_CHARS)}…)`;
  return printable(`${what} ${given}`.trimEnd(), PART_CHARS);
}

function programText(question: Extract<FactQuestion, { kind: "program" }>): string {
  const { program, word, flags, arguments: count, environment } = question;
  const shown = flags.slice(0, FLAGS_SHOWN).map((flag) => printable(flag, PART_CHARS));
  const more = flags.length > FLAGS_SHOWN ? [`and ${flags.length - FLAGS_SHOWN} options more`] : [];
  const variables = environment.length === 0 ? "" : `, sets ${environment.map((name) => printable(name)).join(" ")}`;
  const words = [printable(program, PART_CHARS), ...(word === undefined ? [] : [printable(word, PART_CHARS)])];
  const counted = `${count} ${count === 1 ? "argument" : "arguments"}`;
  return `${[...words, ...shown, ...more].join(" ")} (${counted}${variables})`;
}
