/** The records of what was accepted of others: tools of MCP servers, and files of capability packages. Pure. */
import { toolSetDigest } from "@femtoclaw/capabilities";
import type { JournalEntry } from "@femtoclaw/journal";
import type { ToolPin } from "@femtoclaw/protocol";
import { operatorActor } from "../operator-actor.ts";
import { listDigest, type OfferedTool, quarantined } from "./offer.ts";

const NOBODYS = { session: null, execution: null } as const;

/** `by` is null if nobody was asked, because it was accepted on first use. */
export function pinnedEntry(server: string, tools: readonly ToolPin[], by: string | null): JournalEntry {
  const body = { server, set_sha256: toolSetDigest(tools), tools: [...tools] };
  return { type: "upstream.pinned", ...(by === null ? {} : { actor: operatorActor(by) }), ...NOBODYS, body };
}

export function unpinnedEntry(server: string, by: string): JournalEntry {
  return { type: "upstream.unpinned", actor: operatorActor(by), ...NOBODYS, body: { server } };
}

export function quarantinedEntry(server: string, offer: readonly OfferedTool[]): JournalEntry {
  const body = { server, set_sha256: listDigest(offer), tools: quarantined(offer) };
  return { type: "upstream.quarantined", ...NOBODYS, body };
}
