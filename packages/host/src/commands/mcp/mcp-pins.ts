/** `mcp pins list|accept|reset`: what the MCP servers of others offer, and which offers an operator accepts. */
import {
  type ChangedMember,
  type ComparedTool,
  EXIT,
  FemtoError,
  printable,
  type UpstreamView,
} from "@femtoclaw/protocol";
import { changeLines } from "../../terminal/change-text.ts";
import { confirms } from "../../terminal/confirm.ts";
import { countText } from "../../terminal/count-text.ts";
import { table } from "../../terminal/table.ts";
import type { CommandContext } from "../command-context.ts";

/** The first characters of a digest are enough to recognize it. */
const DIGEST_CHARS = 12;
/** LIMIT: characters of one line on a terminal; longer texts continue on the next line. */
const LINE_CHARS = 300;

export async function listPins(context: CommandContext): Promise<number> {
  const { output } = context;
  await using operator = await context.operator();
  const servers = await operator.upstreams();
  if (output.json) output.value(servers);
  else if (servers.length === 0) output.talk("no MCP server is named under [mcp.servers]");
  else for (const line of servers.flatMap((server) => serverLines(server, context))) output.line(line);
  return EXIT.ok;
}

export interface AcceptOptions {
  readonly yes?: boolean;
}

/** Accepts what the server offers now, or only the named tools, identified by the digests that were shown. */
export async function acceptPins(
  context: CommandContext,
  name: string,
  names: readonly string[],
  { yes = false }: AcceptOptions,
): Promise<number> {
  const { output } = context;
  await using operator = await context.operator();
  const server = (await operator.upstreams()).find((one) => one.server === name);
  if (server === undefined)
    throw new FemtoError("FEMTO_UPSTREAM_NOT_FOUND", `no MCP server is called ${printable(name, 64)}`);
  const wanted = server.tools.filter(({ state }) => state === "new" || state === "changed");
  const unknown = names.find((tool) => !wanted.some((one) => one.name === tool));
  if (unknown !== undefined) {
    const fix = "`femtoclaw mcp pins list` shows what is new or changed.";
    throw new FemtoError(
      "FEMTO_USAGE",
      `nothing new or changed of the server ${name} is called ${printable(unknown, 64)}`,
      {
        fix,
      },
    );
  }
  const chosen = names.length === 0 ? wanted : wanted.filter((tool) => names.includes(tool.name));
  const pins = chosen.flatMap(({ name: tool, sha256 }) => (sha256 === null ? [] : [{ name: tool, sha256 }]));
  // A server that offers nothing can be accepted as such, so that what it offers later counts as new. But it must have
  // said what it offers.
  if (pins.length === 0 && server.set_sha256 === null) {
    throw new FemtoError(
      "FEMTO_UPSTREAM_UNAVAILABLE",
      `the server ${name} has not said what it offers: ${server.reason ?? "it does not run"}`,
    );
  }
  if (!output.json) for (const tool of chosen) for (const line of toolLines(tool)) output.talk(line);
  // Servers list more than tools. The names of the other things have a prefix with a colon.
  const what = chosen.some((one) => one.name.includes(":"))
    ? `${pins.length} of what ${name} lists`
    : `${countText(pins.length, "tool")} of ${name}`;
  if (!yes && !(await confirms(`offer ${what}, as described here?`, "yes"))) {
    output.talk("nothing was accepted; --yes accepts it without being asked");
    return EXIT.no;
  }
  await operator.acceptTools(name, pins);
  if (output.json) output.value({ server: name, accepted: pins });
  else output.line(`accepted ${what}`);
  return EXIT.ok;
}

export async function resetPins(context: CommandContext, name: string): Promise<number> {
  await using operator = await context.operator();
  await operator.resetTools(name);
  if (context.output.json) context.output.value({ server: name, accepted: [] });
  else
    context.output.line(
      `nothing of ${name} is accepted any more; \`femtoclaw mcp pins accept ${name}\` accepts them anew`,
    );
  return EXIT.ok;
}

const STYLES = {
  offered: "green",
  new: "yellow",
  changed: "red",
  refused: "red",
  excluded: "dim",
  gone: "dim",
} as const;

function serverLines({ server, status, reason, pins, tools }: UpstreamView, { output }: CommandContext): string[] {
  const why = reason === null ? "" : `: ${printable(reason, 300)}`;
  const head = `${output.style("bold", server)}  ${status}${why}  (pins: ${pins})`;
  const rows = tools.map(({ name, sha256, state, problem }) => [
    printable(name, 128),
    output.style(STYLES[state], state),
    (sha256 ?? "").slice(0, DIGEST_CHARS),
    problem === null ? "" : printable(problem, 200),
  ]);
  const waiting = tools.filter(({ state }) => state === "new" || state === "changed").length;
  const waits = waiting === 1 ? "1 waits" : `${waiting} wait`;
  return [
    head,
    ...table(rows, "  "),
    ...(waiting === 0 ? [] : [`  ${waits} for an operator: femtoclaw mcp pins accept ${server}`]),
  ];
}

/**
 * INVARIANT: I8: shows everything that models will read. An operator who is not shown the end of a description, or the
 * schema beside it, would agree to something unseen.
 */
function toolLines({ name, state, sha256, pinned, description, input, changes }: ComparedTool): string[] {
  const before = pinned === null ? "" : `, was ${pinned.slice(0, DIGEST_CHARS)}`;
  const schema = input === null ? [] : [`arguments: ${JSON.stringify(input)}`];
  return [
    `${printable(name, 128)}  ${state}  ${(sha256 ?? "").slice(0, DIGEST_CHARS)}${before}`,
    ...[...description.split("\n"), ...schema].flatMap(wholeLines).map((line) => `    ${line}`),
    ...(state === "changed" ? changeText(changes) : []).map((line) => `  ${line}`),
  ];
}

/** What is not as it was accepted; the operator has agreed to the rest before. */
function changeText(changes: readonly ChangedMember[] | null): string[] {
  if (changes === null) return ["what it was when it was accepted is not kept: read all of it"];
  return changes.flatMap(({ member, before, after }) => [
    `changed since it was accepted: ${printable(member, 64)}`,
    ...changeLines(memberText(before), memberText(after), "`femtoclaw mcp pins list --json`").map(
      (line) => `  ${line}`,
    ),
  ]);
}

/**
 * One sentence on a line, because a description is often a single long line, in which a few changed words would be hard
 * to find. Longer pieces are broken, so that no line is cut where it is shown.
 */
function memberText(value: ChangedMember["before"]): string {
  const text = typeof value === "string" ? value : value === null ? "" : JSON.stringify(value, null, 2);
  return text
    .replaceAll(/(?<=[.!?])(?= )/g, "\n")
    .split("\n")
    .flatMap(pieces)
    .join("\n");
}

function wholeLines(text: string): string[] {
  return pieces(text).map((line) => printable(line, LINE_CHARS));
}

function pieces(text: string): string[] {
  const characters = [...text];
  return Array.from({ length: Math.max(1, Math.ceil(characters.length / LINE_CHARS)) }, (_, index) =>
    characters.slice(index * LINE_CHARS, (index + 1) * LINE_CHARS).join(""),
  );
}
