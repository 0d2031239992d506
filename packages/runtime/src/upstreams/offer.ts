/**
 * What is offered of an MCP server: what it lists, compared with what was accepted, and the explanation for the rest.
 * Pure.
 */
import { type ContentDefinition, membersOf, type ToolDefinition, toolSetDigest } from "@femtoclaw/capabilities";
import type { ChangedMember, OfferedTool, ToolState } from "@femtoclaw/protocol";
import { frozen, type McpContent, printable, type QuarantinedTool, readerOf, type ToolPin } from "@femtoclaw/protocol";
import type { UpstreamSetting } from "../configuration/resolve-upstreams.ts";
import type { Problem } from "../gate/verdict.ts";
import type { ToolPins } from "../projection/upstream-pins.ts";

/** All that a server lists. */
export interface Listed {
  readonly definitions: readonly ToolDefinition[];
  readonly contents: readonly ContentDefinition[];
}

/** The same without the texts, which files of packages do not have. */
type Listable = Omit<Listed, "definitions"> & { readonly definitions: readonly Omit<ToolDefinition, "text">[] };

export function offerOf(
  { definitions, contents }: Listable,
  pins: ToolPins | null | undefined,
  { tools }: Pick<UpstreamSetting, "tools">,
): readonly OfferedTool[] {
  const accepted = pins ?? {};
  const all = [
    ...definitions.map((tool) => ({ ...tool, calledBy: tool.name })),
    ...contents.map((content) => ({ ...content, name: content.pin, calledBy: readerOf(content.kind), input: null })),
  ];
  const listed = all.map(({ name, sha256, problem, description, calledBy, input }): OfferedTool => {
    const pinned = Object.hasOwn(accepted, name) ? (accepted[name] ?? null) : null;
    const state = stateOf({ calledBy, sha256, problem }, pinned, tools);
    return { name, sha256, pinned, state, problem, description, input: problem === null ? input : null };
  });
  const names = new Set(all.map(({ name }) => name));
  const gone = Object.entries(accepted).filter(([name]) => !names.has(name));
  const offer = [
    ...listed,
    ...gone.map(([name, pinned]): OfferedTool => {
      return { name, sha256: null, pinned, state: "gone", problem: null, description: "", input: null };
    }),
  ];
  // INVARIANT: I3: operators are shown these very objects, by which it is decided what may be called.
  return frozen(offer.sort((left, right) => (left.name < right.name ? -1 : 1)));
}

// INVARIANT: I3: a tool is offered only if its whole definition is the one that was accepted.
function stateOf(
  { calledBy, sha256, problem }: Pick<ToolDefinition, "sha256" | "problem"> & { readonly calledBy: string },
  pinned: string | null,
  tools: readonly string[] | null,
): ToolState {
  if (problem !== null) return "refused";
  if (tools !== null && !tools.includes(calledBy)) return "excluded";
  if (pinned === null) return "new";
  return pinned === sha256 ? "offered" : "changed";
}

/** What differs between two definitions. */
export function changedMembers(before: string, after: string): ChangedMember[] {
  const [old, next] = [membersOf(before), membersOf(after)];
  const names = new Set([...Object.keys(old), ...Object.keys(next)]);
  return [...names].flatMap((member) => {
    const [was, is] = [old[member] ?? null, next[member] ?? null];
    return JSON.stringify(was) === JSON.stringify(is) ? [] : [{ member, before: was, after: is }];
  });
}

/** Everything that could be accepted, in the form in which an operator accepts it. */
export function acceptable(offer: readonly OfferedTool[]): ToolPin[] {
  return offer.flatMap(({ name, sha256, state }) =>
    sha256 !== null && (state === "offered" || state === "new" || state === "changed") ? [{ name, sha256 }] : [],
  );
}

export function quarantined(offer: readonly OfferedTool[]): QuarantinedTool[] {
  return offer.flatMap(({ name, sha256, state }) =>
    sha256 !== null && (state === "new" || state === "changed") ? [{ name, sha256, why: state }] : [],
  );
}

/** Digest of everything that a server lists, refused tools included. */
export function listDigest(offer: readonly OfferedTool[]): string {
  return toolSetDigest(offer.flatMap(({ name, sha256 }) => (sha256 === null ? [] : [{ name, sha256 }])));
}

/** What a call is told about a tool, resource or prompt that is not as it was accepted; null if it is offered. */
export function quarantineProblem(
  what: "tool" | "resource" | "prompt",
  { state, name }: { readonly state: ToolState | undefined; readonly name: string },
  server: string,
): Problem | null {
  if (state === "offered") return null;
  const how = state === "new" ? "is new" : "is not what was accepted";
  const reason = `the ${what} ${printable(name, 200)} of the MCP server ${server} ${how}, and is offered only once an operator agrees`;
  const fix = `Continue without this ${what}. An operator can see with \`femtoclaw mcp pins list\` what its server changed, and accept it with \`femtoclaw mcp pins accept ${server}\`.`;
  return { code: "FEMTO_TOOL_QUARANTINED", reason, fix };
}

/**
 * LIMIT: characters for the names of resources or prompts in the description of the tool that reads them; clients list
 * all of them.
 */
const OFFER_CHARS = 2_000;

/** What a tool can get, for models whose client does not list resources and prompts. */
export function offerText(offers: readonly McpContent[]): string {
  const names = offers.map(({ name }) => name).join(" ");
  return names.length <= OFFER_CHARS ? names : `${names.slice(0, OFFER_CHARS).replace(/ [^ ]*$/, "")} and more`;
}
