/** The running instances of one MCP server, one for each view that callers have of this machine. */
import type { ContentDefinition, ToolDefinition } from "@femtoclaw/capabilities";
import type { SandboxView } from "@femtoclaw/sandbox";
import type { UpstreamSetting } from "../configuration/resolve-upstreams.ts";
import { connectUpstream } from "./connect-upstream.ts";
import { Upstream, viewKey } from "./upstream.ts";
import type { UpstreamsParts } from "./upstreams-parts.ts";

interface UpstreamInstancesParts extends UpstreamsParts {
  readonly setting: UpstreamSetting;
  readonly isSandboxed: boolean;
  /** The view in which the list of the server is made. */
  listingView(): SandboxView | null;
  /** Called with what the server offers, each time that the instance of that view was asked. */
  onListed(definitions: readonly ToolDefinition[], contents: readonly ContentDefinition[]): Promise<void>;
}

export class UpstreamInstances {
  readonly #parts: UpstreamInstancesParts;
  readonly #byView = new Map<string, Upstream>();
  /** Instances that no caller finds any more, until they have ended. */
  readonly #ending = new Set<Promise<void>>();

  constructor(parts: UpstreamInstancesParts) {
    this.#parts = parts;
  }

  /** That of a running instance if there is one. */
  get state(): Upstream["state"] {
    const states = [...this.#byView.values()].map(({ state }) => state);
    const running = states.find(({ status }) => status === "running");
    return running ?? states[0] ?? { status: "stopped", reason: null };
  }

  /** The instance for callers with this view. It starts when it is first asked. */
  of(view: SandboxView | null): Upstream {
    const key = this.#keyOf(view);
    const known = this.#byView.get(key);
    if (known !== undefined) return known;
    const { setting, clock, append, log } = this.#parts;
    const isListing = key === this.#keyOf(this.#parts.listingView());
    const upstream = new Upstream({
      setting,
      clock,
      append,
      connect: (onNotification) => connectUpstream(setting, view, this.#parts, onNotification),
      onListed: async (definitions, contents) => {
        if (isListing) await this.#parts.onListed(definitions, contents);
      },
      onDown: (reason) => log({ level: "warn", event: "upstream.stopped", server: setting.name, reason }),
    });
    this.#byView.set(key, upstream);
    return upstream;
  }

  /** Ends the instances whose view nobody has any more. */
  review(views: ReadonlySet<string>): void {
    if (this.#parts.isSandboxed) this.#end((key) => !views.has(key));
  }

  /** Ends all instances. Later callers get new ones. */
  endAll(): void {
    this.#end(() => true);
  }

  /** Ends all instances for good. Resolves when no process of any of them runs, and that is recorded. */
  async stop(reason: string): Promise<void> {
    await Promise.all([...this.#ending, ...[...this.#byView.values()].map((upstream) => upstream.stop(reason))]);
  }

  #end(isOver: (key: string) => boolean): void {
    for (const [key, upstream] of this.#byView) {
      if (!isOver(key)) continue;
      this.#byView.delete(key);
      const ending = upstream.stop("it was disabled, or what programs may see has changed");
      this.#ending.add(ending);
      void ending.finally(() => this.#ending.delete(ending));
    }
  }

  /** A server at an address sees nothing of this machine, so one instance serves all views. */
  #keyOf(view: SandboxView | null): string {
    return this.#parts.isSandboxed ? viewKey(view) : "";
  }
}
