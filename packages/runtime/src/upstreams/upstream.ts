/**
 * One running MCP server, shared by all callers with the same view. It is started when needed, its starts are counted,
 * and its end is recorded. Whatever it does can only be a fault of the call that waits for it.
 */
import {
  type Asking,
  type AskUpstream,
  type CallRelay,
  type ContentDefinition,
  type JsonObject,
  MESSAGE,
  noticeIn,
  type OnNotification,
  type SubscriptionRequest,
  type ToolDefinition,
  UPDATED,
  UpstreamSession,
  type UpstreamTransport,
} from "@femtoclaw/capabilities";
import type { Clock, JournalEntry } from "@femtoclaw/journal";
import { errorText, FemtoError, isLogged, LIMITS, printable } from "@femtoclaw/protocol";
import type { SandboxView } from "@femtoclaw/sandbox";
import type { UpstreamSetting } from "../configuration/resolve-upstreams.ts";
import type { SubscriptionListener } from "../relay/subscriptions.ts";
import { unlessAborted } from "./unless-aborted.ts";
import { startedEntry, stoppedEntry } from "./upstream-entries.ts";
import { UpstreamLooks } from "./upstream-looks.ts";
import { UpstreamSubscriptions } from "./upstream-subscriptions.ts";

interface UpstreamParts {
  readonly setting: UpstreamSetting;
  readonly clock: Clock;
  /** Connects to the server, which begins to run with that. */
  connect(onNotification: OnNotification): UpstreamTransport;
  append(entry: JournalEntry): Promise<{ readonly seq: number }>;
  /** Called with what the server offers, each time that was asked. */
  onListed(definitions: readonly ToolDefinition[], contents: readonly ContentDefinition[]): Promise<void>;
  /** Called with the reason why the server is not there. */
  onDown(reason: string): void;
}

interface Live {
  readonly session: UpstreamSession;
  readonly subscriptions: UpstreamSubscriptions;
  readonly transport: UpstreamTransport;
  readonly looks: UpstreamLooks;
  /** Digests of what the server offers now, by the names in pins. */
  definitions: ReadonlyMap<string, string>;
}

/** What one call asks, and the pin that it depends on. */
interface Asked<T> {
  readonly pin: string;
  readonly sha256: string;
  readonly what: string;
  readonly relay: CallRelay | null;
  ask(live: Live): Promise<T>;
}

const LIST_CHANGED: ReadonlySet<string> = new Set(
  ["tools", "resources", "prompts"].map((lists) => `notifications/${lists}/list_changed`),
);

export class Upstream {
  readonly #parts: UpstreamParts;
  #live: Promise<Live> | null = null;
  #transport: UpstreamTransport | null = null;
  /** Resolves when the end of the running instance is recorded, and that of all before it. */
  #ending: Promise<void> = Promise.resolve();
  /** Times of recent starts. */
  #startsMs: readonly number[] = [];
  #inFlight = 0;
  /** Running calls that are told what the server says, the newest last. */
  readonly #hearing = new Set<CallRelay>();
  /** Whose calls the running instance has served: nobody's (undefined), one caller's, or those of several (null). */
  #served: string | null | undefined = undefined;
  #stopped: string | null = null;
  #fault: string | null = null;

  constructor(parts: UpstreamParts) {
    this.#parts = parts;
  }

  get state(): { readonly status: "stopped" | "running"; readonly reason: string | null } {
    return this.#transport === null ? { status: "stopped", reason: this.#fault } : { status: "running", reason: null };
  }

  /** Resolves once the server runs and has said what it offers. Throws FEMTO_UPSTREAM_UNAVAILABLE. */
  async ready(): Promise<void> {
    await this.#ready();
  }

  async call(definition: ToolDefinition, args: JsonObject, asking: Asking): Promise<JsonObject> {
    const { name: pin, sha256 } = definition;
    const { relay, signal } = asking;
    const ask = ({ session }: Live): Promise<JsonObject> => session.call(pin, args, asking);
    return await this.#ask({ pin, sha256, what: "the tool", relay, ask }, signal);
  }

  /** Reads a resource, gets a prompt, or completes an argument for one of them. */
  async ask({ definition, method, params, ...asking }: Parameters<AskUpstream>[0]): Promise<JsonObject> {
    const { pin, sha256, kind } = definition;
    const { relay, signal } = asking;
    const ask = async ({ session }: Live): Promise<JsonObject> => {
      if (method === "completion/complete" && !session.has("completions")) return { completion: { values: [] } };
      return await session.ask(method, params, asking);
    };
    return await this.#ask({ pin, sha256, what: `the ${kind}`, relay, ask }, signal);
  }

  /** The returned function ends the subscription. */
  async subscribe(request: SubscriptionRequest, listener: SubscriptionListener): Promise<() => void> {
    const { definition, uri, signal } = request;
    const { pin, sha256, kind } = definition;
    const ask = async ({ subscriptions }: Live): Promise<() => void> => {
      const added = subscriptions.add(uri, listener);
      try {
        return await unlessAborted(added, signal);
      } catch (error) {
        added.then((close) => close()).catch(() => undefined);
        throw error;
      }
    };
    return await this.#ask({ pin, sha256, what: `the ${kind}`, relay: null, ask }, signal);
  }

  /** INVARIANT: a tool is called only as it was accepted: with the definition that this very server gives of it now. */
  async #ask<T>({ pin, sha256, what, relay, ask }: Asked<T>, signal: AbortSignal): Promise<T> {
    if (this.#inFlight >= LIMITS.upstreamCalls) {
      throw new FemtoError("FEMTO_UPSTREAM_BUSY", `${LIMITS.upstreamCalls} calls are under way at the server`);
    }
    this.#inFlight += 1;
    try {
      const live = await unlessAborted(this.#ready(), signal);
      live.looks.nowAndThen();
      if (live.definitions.get(pin) !== sha256) {
        throw new FemtoError("FEMTO_UPSTREAM_FAILED", `the server changed ${what} since the call was decided`);
      }
      if (relay !== null) this.#serve(relay);
      return await ask(live);
    } finally {
      this.#inFlight -= 1;
      if (relay !== null) this.#hearing.delete(relay);
    }
  }

  /** Ends the server for good. Resolves when none of its processes runs any more, and that is recorded. */
  async stop(reason: string): Promise<void> {
    this.#stopped ??= reason;
    this.#transport?.end(reason);
    await this.#live?.catch(() => undefined);
    await this.#ending;
  }

  #ready(): Promise<Live> {
    if (this.#live !== null) return this.#live;
    const live = this.#start();
    this.#live = live;
    live.catch(() => {
      // The next start may be under way already: it may begin while the record of this one's end is being written.
      if (this.#live === live) this.#live = null;
    });
    return live;
  }

  async #start(): Promise<Live> {
    const { setting, append } = this.#parts;
    const { name, mayAsk = [] } = setting;
    this.#countStart();
    // INVARIANT: I1: no program starts that is in no record.
    const { seq } = await append(startedEntry(setting));
    const { signal, cancel } = this.#deadline();
    let transport: UpstreamTransport | null = null;
    let ending: Promise<void> | null = null;
    try {
      if (this.#stopped !== null) throw new Error(this.#stopped);
      const onNotification: OnNotification = (method, params) => this.#notified(method, params);
      this.#served = undefined;
      transport = this.#parts.connect(onNotification);
      this.#transport = transport;
      ending = transport.ended.then((reason) => this.#ended(seq, reason));
      // The end of the start before this one may not be recorded yet.
      const before = this.#ending;
      this.#ending = ending.then(() => before);
      const session = await UpstreamSession.open({ server: name, transport, mayAsk }, signal, onNotification);
      const subscriptions = new UpstreamSubscriptions(session);
      void transport.ended.then((reason) => subscriptions.ended(`its server is gone: ${reason}`));
      const definitions = await this.#list(session, signal);
      const looks = new UpstreamLooks(this.#parts.clock, () => this.#relist(live));
      const live: Live = { session, subscriptions, transport, looks, definitions };
      return live;
    } catch (error) {
      const reason = printable(errorText(error), LIMITS.reasonChars);
      if (transport === null) await this.#ended(seq, reason);
      else {
        transport.end(reason);
        // INVARIANT: only one instance runs at a time: the next one starts when none of this one's processes is left.
        await ending;
      }
      throw new FemtoError("FEMTO_UPSTREAM_UNAVAILABLE", `the MCP server ${name} cannot be used: ${reason}`);
    } finally {
      cancel();
    }
  }

  /** INVARIANT: I9: a server that exits as soon as it starts is not started over and over. */
  #countStart(): void {
    const { clock, setting } = this.#parts;
    const nowMs = clock.monotonicUs() / 1_000;
    const late = this.#startsMs.filter((startMs) => nowMs - startMs < LIMITS.restartWindowMs);
    const because = this.#fault === null ? "" : `; the last time: ${this.#fault}`;
    if (this.#stopped !== null) {
      throw new FemtoError("FEMTO_UPSTREAM_UNAVAILABLE", `the MCP server ${setting.name} was ended: ${this.#stopped}`);
    }
    if (late.length > LIMITS.restarts) {
      const message = `the MCP server ${setting.name} was started ${late.length} times within a minute${because}`;
      throw new FemtoError("FEMTO_UPSTREAM_UNAVAILABLE", message);
    }
    this.#startsMs = [...late, nowMs];
  }

  async #ended(started: number, ended: string): Promise<void> {
    const { setting, append, onDown } = this.#parts;
    const reason = printable(this.#stopped ?? ended, LIMITS.reasonChars);
    this.#transport = null;
    this.#live = null;
    this.#fault = reason;
    onDown(reason);
    // A journal that has failed or closed reports that itself.
    await append(stoppedEntry(setting.name, started, reason)).catch(() => undefined);
  }

  #deadline(): { readonly signal: AbortSignal; cancel(): void } {
    const abort = new AbortController();
    const seconds = LIMITS.upstreamStartMs / 1_000;
    const late = new FemtoError("FEMTO_UPSTREAM_UNAVAILABLE", `it did not say within ${seconds} s what it offers`);
    const cancel = this.#parts.clock.after(LIMITS.upstreamStartMs, () => abort.abort(late), { unref: true });
    return { signal: abort.signal, cancel };
  }

  #notified(method: string, params: unknown): void {
    if (method === MESSAGE) return this.#logged(params);
    const heard = (live: Live): void => {
      if (LIST_CHANGED.has(method)) live.looks.again();
      if (method === UPDATED) live.subscriptions.updated(Object(params).uri);
    };
    void this.#live?.then(heard).catch(() => undefined);
  }

  #serve(relay: CallRelay): void {
    this.#hearing.add(relay);
    this.#served = this.#served === undefined || this.#served === relay.caller ? relay.caller : null;
  }

  /**
   * INVARIANT: I8: a log line that belongs to no call could be about anybody's call. It is passed on only if it can
   * only be about one caller's, because the running instance has never served another one.
   */
  #logged(params: unknown): void {
    const newest = [...this.#hearing].at(-1);
    if (newest === undefined || this.#served !== newest.caller) return;
    const notice = noticeIn(this.#parts.setting.name, MESSAGE, params);
    if (notice?.kind === "log" && isLogged(notice.level, newest.logLevel)) newest.notice(notice);
  }

  /** A server whose list can no longer be read is no longer used. */
  async #relist(live: Live): Promise<void> {
    const { signal, cancel } = this.#deadline();
    try {
      live.definitions = await this.#list(live.session, signal);
    } catch (error) {
      live.transport.end(printable(errorText(error), LIMITS.reasonChars));
    } finally {
      cancel();
    }
  }

  async #list(session: UpstreamSession, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const definitions = await session.tools(signal);
    const contents = await session.contents(signal);
    await this.#parts.onListed(definitions, contents);
    return new Map([
      ...definitions.map(({ name, sha256 }) => [name, sha256] as const),
      ...contents.map(({ pin, sha256 }) => [pin, sha256] as const),
    ]);
  }
}

/** Views that show the same have the same key. */
export function viewKey(view: SandboxView | null): string {
  return view === null ? "" : JSON.stringify([view.mounts, view.authority.environmentNames, view.authority.workspace]);
}
