/** What was accepted of each MCP server, folded from records. A tool is offered only as it was accepted. */
import type { ActorSnapshot, TypedRecord } from "@femtoclaw/protocol";
import { stateOf, UPSTREAMS } from "./holders.ts";

/** Digests of definitions, by tool name. */
export type ToolPins = Readonly<Record<string, string>>;

interface UpstreamsState {
  /** Null if an operator revoked the pins; then only an operator can pin that server anew. */
  readonly pins: Readonly<Record<string, ToolPins | null>>;
}

type UpstreamRecord = TypedRecord & {
  readonly type: `upstream.${"started" | "stopped" | "pinned" | "unpinned" | "quarantined"}`;
};

export function isOfUpstream(record: TypedRecord): record is UpstreamRecord {
  return record.type.startsWith("upstream.") && record.type !== "upstream.answered";
}

export class UpstreamPins {
  readonly #pins: Map<string, ToolPins | null>;

  constructor({ pins }: UpstreamsState = { pins: {} }) {
    this.#pins = new Map(Object.entries(pins));
  }

  /** Logs of versions that knew no such servers have none in their snapshots. */
  static stored(actors: Readonly<Record<string, ActorSnapshot>>): UpstreamPins {
    if (actors["upstreams"] === undefined) return new UpstreamPins();
    return new UpstreamPins(structuredClone(stateOf(actors, "upstreams", UPSTREAMS)) as UpstreamsState);
  }

  /** Undefined for a server of which nothing was ever pinned. */
  of(server: string): ToolPins | null | undefined {
    return this.#pins.get(server);
  }

  get isEmpty(): boolean {
    return this.#pins.size === 0;
  }

  get state(): UpstreamsState {
    return { pins: Object.fromEntries(this.#pins) };
  }

  apply({ type, body }: UpstreamRecord): void {
    if (type === "upstream.unpinned") this.#pins.set(body.server, null);
    if (type !== "upstream.pinned") return;
    this.#pins.set(body.server, Object.fromEntries(body.tools.map(({ name, sha256 }) => [name, sha256])));
  }
}
