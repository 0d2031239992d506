/**
 * Whether a resource or a prompt of an MCP server should be listed under a policy. This is only for lists and decides
 * nothing.
 */
import {
  type Authority,
  type McpContent,
  type McpGrant,
  mcpToolName,
  mcpValueText,
  parseJson,
  readerOf,
  uriFolders,
} from "@femtoclaw/protocol";
import type { CompiledPolicy } from "../compile.ts";
import { mayPermit } from "./may-permit.ts";

type Tables = Pick<Authority, "allow" | "ask" | "deny">;

/** False if no rule permits any use of it, or if an entry denies every use. */
export function mayOffer(
  compiled: Pick<CompiledPolicy, "rules">,
  { allow, ask, deny }: Tables,
  server: string,
  content: McpContent,
): boolean {
  const reader = readerOf(content.kind);
  if (!mayPermit(compiled, mcpToolName(server, reader))) return false;
  const isAbout = (grant: McpGrant): boolean =>
    grant.server === server && (grant.tool === null || grant.tool === reader);
  if ((deny.tools ?? []).some((grant) => isAbout(grant) && grant.with.every((use) => isNamed(use, content)))) {
    return false;
  }
  const granted = [...(allow.tools ?? []), ...(ask.tools ?? [])].some(
    (grant) => isAbout(grant) && grant.with.every((use) => mayBeNamed(use, content)),
  );
  // A permit that somebody wrote in Cedar may cover anything.
  return granted || compiled.rules.some(({ id, text }) => id.startsWith("file/") && text.includes("permit"));
}

type Use = McpGrant["with"][number];

/** Whether every use of the content has one of these values. */
function isNamed({ argument, values }: Use, { kind, name }: McpContent): boolean {
  if (kind === "template" || argument !== (kind === "prompt" ? "name" : "uri")) return false;
  const names = kind === "prompt" ? [name] : [name, ...uriFolders(name)];
  return names.some((one) => values.includes(mcpValueText(argument, one) ?? ""));
}

/**
 * Whether some use of the content may match. Which arguments a prompt will get, and which uris a template makes, is not
 * known here.
 */
function mayBeNamed(use: Use, content: McpContent): boolean {
  const { kind, name } = content;
  if (use.argument !== (kind === "prompt" ? "name" : "uri")) return true;
  if (kind !== "template") return isNamed(use, content);
  const [made = ""] = name.split("{", 1);
  return use.values.some((text) => {
    const value = String(parseJson(text.slice(`${use.argument}=`.length)));
    const stem = value.replace(/\*$/, "");
    return stem.startsWith(made) || (stem !== value && made.startsWith(stem));
  });
}
