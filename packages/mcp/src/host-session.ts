/**
 * The session that one MCP client has at the host: connected when it is first needed, and anew when the host was
 * away. What is under way is never sent twice.
 */
import { createHash } from "node:crypto";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import type { AgentClient, ProposeOptions } from "@femtoclaw/client";
import { FemtoError, type LogLevel, type OutputPart, type Reply, type ToolDescription } from "@femtoclaw/protocol";
import { SuspendedCalls } from "./suspended-calls.ts";
import { Turns } from "./turns.ts";

/** By what a client's calls get to the host. */
export type Proposer = Pick<
  AgentClient,
  "tools" | "propose" | "output" | "changes" | "unsubscribe" | "answer" | "wait" | "cancel" | "close" | "closed"
>;

/** Connects to the host. `start`: somebody waits for it, so that a host may be started. */
export type Connect = (how: { readonly label: string; readonly start: boolean }) => Promise<Proposer>;

/** Pause before the host is looked for again; it doubles while there is none. */
const AWAY_MS = 500;
const AWAY_MS_MAX = 15_000;

/** LIMIT: proposals of one client at the host at once; what their results take in memory is a multiple of the output limit. */
const PROPOSALS_MAX = 32;

/** LIMIT: executions that a client was told to wait for; it is told of the oldest no more. */
const TICKETS_MAX = 1_024;

/** Time that one question for changes waits at the host. */
const CHANGES_MS = 10_000;

export class HostSession {
  readonly #connect: Connect;
  readonly #closing = new AbortController();
  #label = "MCP";
  #client: Promise<Proposer> | null = null;
  /** What its client was shown last. */
  #listed: { readonly tools: readonly ToolDescription[]; readonly digest: string } | null = null;
  #wasAsked = false;
  #isWatching = false;
  readonly #turns = new Turns(PROPOSALS_MAX);
  readonly #lists = new Turns(1);
  readonly #tickets = new Set<string>();
  readonly #waits = new Map<string, Promise<Reply>>();
  /** Calls that wait for what their MCP servers asked this client. */
  readonly suspended = new SuspendedCalls();
  /** What is heard of changes comes by this connection. */
  #hearing: Proposer | null = null;
  /** Resources that its client is subscribed to, and whose they are. */
  readonly #subscribed = new Map<string, string>();
  /** What of the logs of MCP servers its client wants to be told of all its calls; null for nothing. */
  logLevel: LogLevel | null = null;
  /** Told when a resource changed that its client is subscribed to. */
  onResourceUpdated: (uri: string) => void = () => undefined;
  /** Told when the client's list of tools is not what it was. */
  onToolsChanged: () => void = () => undefined;
  /** Resolves once the client has read enough of its answers to get more of them. */
  untilRead: () => Promise<void> = () => Promise.resolve();

  constructor(connect: Connect) {
    this.#connect = connect;
  }

  /** What the client calls itself; counts from the next connection on. */
  introduce(label: string): void {
    this.#label = label;
  }

  /** The tools of the host as they are now; with `again` those that were listed last, where some were. */
  async tools(again = false, signal?: AbortSignal): Promise<readonly ToolDescription[]> {
    // INVARIANT: I9: a list takes milliseconds, also of the host itself where it serves this client. So there is one at a
    // time, in a turn of the loop of its own, and none for a client that does not read what it has asked for.
    using _turn = await this.#lists.take(signal);
    await setImmediate();
    await this.untilRead();
    if (again && this.#listed !== null) return this.#listed.tools;
    this.#wasAsked = true;
    try {
      const client = await this.#connected(true);
      await this.#hear(client);
      const tools = (await client.tools()).toSorted(byName);
      this.#listed = { tools, digest: digestOf(tools) };
      return tools;
    } catch (error) {
      // Who saw no tools is told when there are some.
      this.#watch();
      throw error;
    }
  }

  /** The tools as they are now, for a list of something else: a client that was shown others is told so. */
  async look(signal?: AbortSignal): Promise<readonly ToolDescription[]> {
    const before = this.#listed?.digest;
    const tools = await this.tools(false, signal);
    if (before !== undefined && this.#listed?.digest !== before) this.onToolsChanged();
    return tools;
  }

  /** Asks whether the list is still what its client has seen; for when an answer says that it is not. */
  async compareTools(): Promise<void> {
    const before = this.#listed?.digest;
    await this.tools();
    if (this.#listed?.digest !== before) this.onToolsChanged();
  }

  async propose(message: Uint8Array, options: ProposeOptions): Promise<Reply> {
    // INVARIANT: I9: a client that asks and does not read its answers is what has to wait, and not the memory.
    using _turn = await this.#turns.take(options.signal).catch(unwanted);
    await this.untilRead();
    if (options.signal?.aborted === true) unwanted();
    const client = await this.#connected(true);
    try {
      const reply = await client.propose(message, options);
      if (reply.status === "pending") this.#keepTicket(reply.execution_id);
      return reply;
    } catch (error) {
      // INVARIANT: I2: what may have begun is not proposed again by itself.
      if (isAway(error)) throw outcomeUnknown(error);
      throw error;
    }
  }

  /** Whether this client was told to wait for the execution: the identifier of somebody else's is none of its own. */
  isTicket(execution: string): boolean {
    return this.#tickets.has(execution);
  }

  /** What a call of this client ends with, also where the host is away meanwhile. One wait serves all who ask. */
  wait(execution: string): Promise<Reply> {
    const known = this.#waits.get(execution);
    if (known !== undefined) return known;
    const waiting = this.#waitFor(execution).finally(() => this.#waits.delete(execution));
    this.#waits.set(execution, waiting);
    // Everybody who asked may have gone by the time it fails.
    waiting.catch(() => undefined);
    return waiting;
  }

  /** Tells the output of a call of this client that waits for an operator; nothing where the host is away meanwhile. */
  async follow(execution: string, onOutput: (part: OutputPart) => void): Promise<void> {
    try {
      const client = await this.#connected(false);
      for await (const part of client.output(execution)) onOutput(part);
    } catch {
      // Its outcome is waited for all the same, and says all of it.
    }
  }

  /** The client is subscribed to a resource of a server. */
  async subscribed(uri: string, server: string): Promise<void> {
    this.#subscribed.set(uri, server);
    await this.#hear(await this.#connected(false));
  }

  /** Ends that; nothing where there is none. */
  async unsubscribe(uri: string): Promise<void> {
    const server = this.#subscribed.get(uri);
    this.#subscribed.delete(uri);
    const client = server === undefined ? null : await this.#client?.catch(() => null);
    if (server !== undefined) await client?.unsubscribe(server, uri).catch(() => undefined);
  }

  /** Answers what the MCP server of a call of this client asked. */
  async answer(question: string, answers: Readonly<Record<string, unknown>>): Promise<void> {
    await (await this.#connected(false)).answer(question, answers);
  }

  /** Asks the host to end a call that waits for an operator; one of an earlier connection waits on. */
  async cancel(execution: string): Promise<void> {
    const client = await this.#client?.catch(() => null);
    await client?.cancel(execution).catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const client = await this.#client?.catch(() => null);
    await client?.close();
  }

  #connected(start: boolean): Promise<Proposer> {
    this.#client ??= this.#open(start);
    return this.#client;
  }

  async #open(start: boolean): Promise<Proposer> {
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

  /** What a session at the host was subscribed to is over with it: whoever reads it again sees what it is now. */
  #lost(): void {
    this.#client = null;
    this.#hearing = null;
    const over = [...this.#subscribed.keys()];
    this.#subscribed.clear();
    for (const uri of over) this.onResourceUpdated(uri);
    this.#watch();
  }

  /** From now on its client is told of changes, as long as this connection lasts. */
  async #hear(client: Proposer): Promise<void> {
    if (this.#hearing === client) return;
    this.#hearing = client;
    // A host of an earlier version does not tell of them; all else goes on.
    const first = await client.changes(null, 0).catch(() => null);
    if (first !== null) void this.#hearOn(client, first.next).catch(() => undefined);
  }

  /** Ends with the connection. */
  async #hearOn(client: Proposer, first: number): Promise<void> {
    for (let from = first; this.#hearing === client && !this.#closing.signal.aborted; ) {
      const { next, offered, updated, ended } = await client.changes(from, CHANGES_MS);
      from = next;
      if (offered && this.#listed !== null) await this.compareTools();
      for (const { server, uri } of updated) if (this.#subscribed.get(uri) === server) this.onResourceUpdated(uri);
      for (const { server, uri } of ended) {
        if (this.#subscribed.get(uri) !== server) continue;
        this.#subscribed.delete(uri);
        this.onResourceUpdated(uri);
      }
    }
  }

  /** Looks for a host that is away, so that its client hears of tools that have changed with it. Starts none. */
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
        await this.#connected(false);
        await this.compareTools();
        return;
      } catch {
        // It is still away, or its log is not the one that was seen; who calls is told so.
      }
    }
  }

  async #waitFor(execution: string): Promise<Reply> {
    for (let pauseMs = AWAY_MS; ; pauseMs = Math.min(pauseMs * 2, AWAY_MS_MAX)) {
      try {
        const client = await this.#connected(false);
        return await client.wait(execution);
      } catch (error) {
        if (!isAway(error) || !(await this.#pause(pauseMs))) throw error;
      }
    }
  }

  /** False once the session is closed. */
  async #pause(ms: number): Promise<boolean> {
    const { signal } = this.#closing;
    await sleep(ms, undefined, { signal, ref: false }).catch(() => undefined);
    return !signal.aborted;
  }

  #keepTicket(execution: string): void {
    this.#tickets.add(execution);
    const [oldest] = this.#tickets;
    if (this.#tickets.size > TICKETS_MAX && oldest !== undefined) this.#tickets.delete(oldest);
  }
}

function unwanted(): never {
  throw new FemtoError("FEMTO_EXECUTION_HALTED", "its client cancelled it before it was proposed");
}

/** Whether it will be worth asking again. */
function isAway(error: unknown): boolean {
  return error instanceof FemtoError && (error.code === "FEMTO_HOST_NOT_RUNNING" || error.code === "FEMTO_DRAINING");
}

function outcomeUnknown(error: unknown): FemtoError {
  const reason = error instanceof FemtoError ? error.message : String(error);
  const fix =
    "The host ended while the call was under way: it may have been executed or not. Look at what it would have changed before you send it again.";
  return new FemtoError("FEMTO_HOST_NOT_RUNNING", reason, { fix, cause: error });
}

function byName(left: ToolDescription, right: ToolDescription): number {
  return left.name < right.name ? -1 : 1;
}

function digestOf(tools: readonly ToolDescription[]): string {
  return createHash("sha256").update(JSON.stringify(tools)).digest("hex");
}
