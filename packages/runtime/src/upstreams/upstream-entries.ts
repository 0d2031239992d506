/**
 * Builds the records about MCP servers and capability packages: when a server started and stopped, and what was accepted
 * of either. Pure.
 */
import { toolSetDigest } from "@femtoclaw/capabilities";
import type { JournalEntry } from "@femtoclaw/journal";
import type { OfferedTool, ToolPin } from "@femtoclaw/protocol";
import type { UpstreamSetting } from "../configuration/resolve-upstreams.ts";
import { operatorActor } from "../operators/operator-actor.ts";
import { listDigest, quarantined } from "./offer.ts";

const NOBODYS = { session: null, execution: null } as const;

export function startedEntry({ at, name }: UpstreamSetting): JournalEntry {
  const body =
    at.kind === "command"
      ? { server: name, program: at.program, args: [...at.args], url: null }
      : // INVARIANT: I10: path and query are left out, because many servers expect a token there.
        { server: name, program: null, args: [], url: new URL(at.url).origin };
  return { type: "upstream.started", ...NOBODYS, body };
}

/** `started` is the number of the record of the start. */
export function stoppedEntry(server: string, started: number, reason: string): JournalEntry {
  return { type: "upstream.stopped", ...NOBODYS, body: { server, started, reason } };
}

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
