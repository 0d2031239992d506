/**
 * The session of one MCP client at the host. It connects when first needed and reconnects after the host was away. A
 * call that is under way is never sent twice.
 */
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import type { AgentClient, ProposeOptions } from "@femtoclaw/client";
import { FemtoError, type LogLevel, type OutputPart, type Reply, type ToolDescription } from "@femtoclaw/protocol";
import { isAway, outcomeUnknown, unwanted } from "./host-faults.ts";
import { SuspendedCalls } from "./suspended-calls.ts";
import { Tickets } from "./tickets.ts";
import { type ToolList, toolList } from "./tool-list.ts";
import { Turns } from "./turns.ts";

/** How a client's calls reach the host. */
export type Proposer = Pick<
  AgentClient,
  "tools" | "propose" | "output" | "changes" | "unsubscribe" | "answer" | "wait" | "cancel" | "close" | "closed"
>;

/** Connects to the host. `start` says that somebody waits for the connection, so a host may be started for it. */
export type Connect = (how: { readonly label: string; readonly start: boolean }) => Promise<Proposer>;

/** Milliseconds before looking for the host again; the pause doubles as long as there is none. */
const AWAY_MS = 500;
const AWAY_MS_MAX = 15_000;

/** LIMIT: proposals of one client at the host at once. Their results take a multiple of the output limit in memory. */
const PROPOSALS_MAX = 32;

/** Milliseconds for which one request for changes waits at the host. */
const CHANGES_MS = 10_000;

export class HostSession {
  readonly #connect: Connect;
  readonly #closing = new AbortController();
  #label = "MCP";
  #client: Promise<Proposer> | null = null;
  /** What the client was shown last. */
  #listed: ToolList | null = null;
  #wasAsked = false;
  #isWatching = false;
  readonly #turns = new Turns(PROPOSALS_MAX);
  readonly #lists = new Turns(1);
  readonly #tickets = new Tickets();
  readonly #waits = new Map<string, Promise<Reply>>();
  /** Calls that wait for the client to answer questions of their MCP servers. */
  readonly suspended = new SuspendedCalls();
  /** The connection on which changes are received. */
  #followed: Proposer | null = null;
  /** Resources that the client has subscribed to, with their servers. */
  readonly #subscribed = new Map<string, string>();
  /** The least severe log messages of MCP servers that the client wants for all of its calls; null for none. */
  logLevel: LogLevel | null = null;
  /** Called when a resource changed that the client has subscribed to. */
  onResourceUpdated: (uri: string) => void = () => undefined;
  /** Called when the client's list of tools is outdated. */
  onToolsChanged: () => void = () => undefined;
  /** Resolves once the client has read enough of its answers to be sent more. */
  untilRead: () => Promise<void> = () => Promise.resolve();

  constructor(connect: Connect) {
    this.#connect = connect;
  }

  /** Sets what the client calls itself; takes effect with the next connection. */
  introduce(label: string): void {
    this.#label = label;
  }

  /** The current tools of the host. */
  tools(signal?: AbortSignal): Promise<readonly ToolDescription[]> {
    return this.#inTurn(signal, () => this.#list());
  }

  /** The tools that were listed last, or the current ones if none were listed yet. */
  listedTools(signal?: AbortSignal): Promise<readonly ToolDescription[]> {
    return this.#inTurn(signal, () => this.#listed?.tools ?? this.#list());
  }

  async #inTurn<T>(signal: AbortSignal | undefined, list: () => T | Promise<T>): Promise<T> {
    // INVARIANT: I9: making a list takes milliseconds, also in the host itself if it serves this client. So only one is
    // made at a time, in a turn of the event loop of its own, and none for a client that does not read what it asked
    // for.
    using _turn = await this.#lists.take(signal);
    await setImmediate();
    await this.untilRead();
    return await list();
  }

  async #list(): Promise<readonly ToolDescription[]> {
    this.#wasAsked = true;
    try {
      const client = await this.#connected({ start: true });
      await this.#followChanges(client);
      this.#listed = toolList(await client.tools());
      return this.#listed.tools;
    } catch (error) {
      // A client that saw no tools is told once there are some.
      this.#watch();
      throw error;
    }
  }

  /** The current tools, for a list of something else. If the client was shown other tools before, it is told so. */
  async currentTools(signal?: AbortSignal): Promise<readonly ToolDescription[]> {
    const before = this.#listed?.digest;
    const tools = await this.tools(signal);
    if (before !== undefined && this.#listed?.digest !== before) this.onToolsChanged();
    return tools;
  }

  /** Checks whether the client's list is still current, after an answer has shown that it may not be. */
  async compareTools(): Promise<void> {
    const before = this.#listed?.digest;
    await this.tools();
    if (this.#listed?.digest !== before) this.onToolsChanged();
  }

  async propose(message: Uint8Array, options: ProposeOptions): Promise<Reply> {
    // INVARIANT: I9: a client that asks without reading its answers has to wait, so that its answers do not fill the
    // memory.
    using _turn = await this.#turns.take(options.signal).catch(unwanted);
    await this.untilRead();
    if (options.signal?.aborted === true) unwanted();
    const client = await this.#connected({ start: true });
    try {
      const reply = await client.propose(message, options);
      if (reply.status === "pending") this.#tickets.keep(reply.execution_id);
      return reply;
    } catch (error) {
      // INVARIANT: I2: a call that may have begun is not proposed again automatically.
      if (isAway(error)) throw outcomeUnknown(error);
      throw error;
    }
  }

  /**
   * Whether this client was told to wait for this execution. The identifier of another client's execution is no ticket.
   */
  isTicket(execution: string): boolean {
    return this.#tickets.has(execution);
  }

  /**
   * Resolves with the outcome of a call of this client, even if the host is away meanwhile. Everybody who asks shares
   * one wait.
   */
  wait(execution: string): Promise<Reply> {
    const known = this.#waits.get(execution);
    if (known !== undefined) return known;
    const waiting = this.#waitFor(execution).finally(() => this.#waits.delete(execution));
    this.#waits.set(execution, waiting);
    // When this fails, there may be nobody left who waits for it.
    waiting.catch(() => undefined);
    return waiting;
  }

  /**
   * Passes on the output of a call of this client that waits for an operator. Stops silently if the host is away
   * meanwhile.
   */
  async follow(execution: string, onOutput: (part: OutputPart) => void): Promise<void> {
    try {
      const client = await this.#connected({ start: false });
      for await (const part of client.output(execution)) onOutput(part);
    } catch {
      // The outcome is waited for separately and contains the whole output.
    }
  }

  /** Notes that the client has subscribed to a resource of this server. */
  async subscribed(uri: string, server: string): Promise<void> {
    this.#subscribed.set(uri, server);
    await this.#followChanges(await this.#connected({ start: false }));
  }

  /** Ends a subscription; does nothing if there is none. */
  async unsubscribe(uri: string): Promise<void> {
    const server = this.#subscribed.get(uri);
    this.#subscribed.delete(uri);
    const client = server === undefined ? null : await this.#client?.catch(() => null);
    if (server !== undefined) await client?.unsubscribe(server, uri).catch(() => undefined);
  }

  /** Answers a question of an MCP server about a call of this client. */
  async answer(question: string, answers: Readonly<Record<string, unknown>>): Promise<void> {
    await (await this.#connected({ start: false })).answer(question, answers);
  }

  /** Asks the host to end a call that waits for an operator. A call of an earlier connection keeps waiting. */
  async cancel(execution: string): Promise<void> {
    const client = await this.#client?.catch(() => null);
    await client?.cancel(execution).catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const client = await this.#client?.catch(() => null);
    await client?.close();
  }

  #connected(how: { readonly start: boolean }): Promise<Proposer> {
    this.#client ??= this.#open(how);
    return this.#client;
  }

  async #open({ start }: { readonly start: boolean }): Promise<Proposer> {
    try {
      const client = await this.#connect({ label: this.#label, start });
      if (this.#closing.signal.aborted) {
        await client.close();
        throw new FemtoError("FEMTO_HOST_NOT_RUNNING", "the client has left");
      }
      void client.closed.then(() => this.#lost());
      return client;
    } catch (error) {
      this.#client = null;
      throw error;
    }
  }

  /**
   * Subscriptions end with the session at the host. The client is told that the resources changed, so that it reads
   * their current state.
   */
  #lost(): void {
    this.#client = null;
    this.#followed = null;
    const over = [...this.#subscribed.keys()];
    this.#subscribed.clear();
    for (const uri of over) this.onResourceUpdated(uri);
    this.#watch();
  }

  /** Receives changes from now on, as long as this connection lasts. */
  async #followChanges(client: Proposer): Promise<void> {
    if (this.#followed === client) return;
    this.#followed = client;
    // An older host does not report changes. Everything else works all the same.
    const first = await client.changes(null, 0).catch(() => null);
    if (first === null) return;
    void this.#changesFrom(client, first.next).catch(() => {
      // The host refused to tell more. The next list begins anew, unless another connection has done so.
      if (this.#followed === client) this.#followed = null;
    });
  }

  /** Ends with the connection. */
  async #changesFrom(client: Proposer, first: number): Promise<void> {
    for (let from = first; this.#followed === client && !this.#closing.signal.aborted; ) {
      const { next, offered, updated, ended } = await client.changes(from, CHANGES_MS);
      from = next;
      // A look that fails is made again until it succeeds, while the changes go on.
      if (offered && this.#listed !== null) await this.compareTools().catch(() => undefined);
      for (const { server, uri } of updated) if (this.#subscribed.get(uri) === server) this.onResourceUpdated(uri);
      for (const { server, uri } of ended) {
        if (this.#subscribed.get(uri) !== server) continue;
        this.#subscribed.delete(uri);
        this.onResourceUpdated(uri);
      }
    }
  }

  /**
   * Waits for a host that is away to return, because the client must learn if the tools have changed with it. Starts no
   * host.
   */
  #watch(): void {
    if (this.#isWatching || !this.#wasAsked || this.#closing.signal.aborted) return;
    this.#isWatching = true;
    void this.#untilBack().finally(() => {
      this.#isWatching = false;
    });
  }

  async #untilBack(): Promise<void> {
    for (let pauseMs = AWAY_MS; await this.#pause(pauseMs); pauseMs = Math.min(pauseMs * 2, AWAY_MS_MAX)) {
      try {
        await this.#connected({ start: false });
        await this.compareTools();
        return;
      } catch {
        // The host is still away, or its log is not the one that was seen. The next call will report that.
      }
    }
  }

  async #waitFor(execution: string): Promise<Reply> {
    for (let pauseMs = AWAY_MS; ; pauseMs = Math.min(pauseMs * 2, AWAY_MS_MAX)) {
      try {
        const client = await this.#connected({ start: false });
        return await client.wait(execution);
      } catch (error) {
        if (!isAway(error) || !(await this.#pause(pauseMs))) throw error;
      }
    }
  }

  /** Resolves with false once the session is closed. */
  async #pause(ms: number): Promise<boolean> {
    const { signal } = this.#closing;
    await sleep(ms, undefined, { signal, ref: false }).catch(() => undefined);
    return !signal.aborted;
  }
}
