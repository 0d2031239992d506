/**
 * The tools that read the resources of one MCP server and get its prompts, built from what was accepted: as the gate
 * finds them registered, and as agents see them listed.
 */
import {
  type AskUpstream,
  argumentValidator,
  type Capability,
  type ContentDefinition,
  contentMeant,
  type JsonObject,
  type McpServer,
  mcpReaderCapability,
  type Reader,
  toolSetDigest,
} from "@femtoclaw/capabilities";
import {
  type OfferedTool,
  PROMPT_GET,
  printable,
  RESOURCE_READ,
  readerOf,
  type ToolState,
  type Validator,
} from "@femtoclaw/protocol";
import type { Problem } from "../gate/verdict.ts";
import { type Listed, quarantineProblem } from "./offer.ts";

export const READERS: readonly Reader[] = [RESOURCE_READ, PROMPT_GET];

/** One of these tools, for everything that its server lists for it. */
export interface UpstreamReader {
  readonly capability: Capability;
  readonly input: Validator;
  /** Identifies everything that is accepted. */
  readonly sha256: string;
  /** What is accepted, and therefore shown to agents. A call to anything else is told why it is not. */
  readonly accepted: readonly ContentDefinition[];
  problemOf(args: JsonObject): Problem | null;
}

/** Null if the server lists nothing for this tool that could ever be offered. */
export function upstreamReader(
  about: McpServer,
  reader: Reader,
  { contents }: Pick<Listed, "contents">,
  offer: readonly OfferedTool[],
  ask: AskUpstream,
): UpstreamReader | null {
  const states = new Map(offer.map(({ name, state }) => [name, state]));
  const inState = (...wanted: readonly ToolState[]): ContentDefinition[] =>
    contents.filter(({ kind, pin }) => readerOf(kind) === reader && wanted.includes(states.get(pin) ?? "gone"));
  const accepted = inState("offered");
  const waiting = inState("new", "changed");
  if (accepted.length === 0 && waiting.length === 0) return null;
  const sha256 = toolSetDigest(accepted.map((one) => ({ name: one.pin, sha256: one.sha256 })));
  const capability = mcpReaderCapability({ server: about, reader, accepted, sha256 }, ask);
  return {
    capability,
    input: argumentValidator(capability.manifest.input),
    sha256,
    accepted,
    problemOf: (args) => {
      // INVARIANT: a resource that is listed by itself is compared with its own pin, whatever template makes the same
      // uri.
      const meant = contentMeant(reader, args, [...accepted, ...waiting]);
      const named = String(reader === PROMPT_GET ? args["name"] : args["uri"]);
      const what = reader === PROMPT_GET ? "prompt" : "resource";
      if (meant === null) {
        const reason = `the MCP server ${about.name} offers no ${what} ${printable(named, 200)}`;
        return { code: "FEMTO_ARGUMENTS_INVALID", reason };
      }
      return quarantineProblem(what, { state: states.get(meant.pin), name: named }, about.name);
    },
  };
}
