/**
 * The proxy of one child: what its programs want to connect to is decided by the gate, host by host, and bytes go
 * through unread. Nothing of it outlives the child.
 */
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { errorText, FemtoError, LIMITS, printable } from "@femtoclaw/protocol";
import { DOOR_TARGET } from "@femtoclaw/sandbox";
import type { ConnectAnswer } from "../../capability.ts";
import { dial } from "./dial.ts";
import { requestHead } from "./request-head.ts";

/** LIMIT: time for a program to say where it wants to go. */
const HEAD_MS = 10_000;
/** LIMIT: time for a program to take an answer that opens nothing. */
const HANG_UP_MS = 2_000;
/** LIMIT: connections at once that a program has ended, and whose last bytes are still on their way to who reads slowly. */
const LINGERING_MAX = 16;
/** LIMIT: connections at once by which an agent proposes; each is an MCP client. */
const DOORS_MAX = 8;
/** LIMIT: characters of a reason; curl shows the first line of an answer. */
const REASON_CHARS = 300;

const STATUS = {
  400: "Bad Request",
  403: "Forbidden",
  405: "Method Not Allowed",
  408: "Request Timeout",
  431: "Request Header Fields Too Large",
  502: "Bad Gateway",
} as const;

const ESTABLISHED = "HTTP/1.1 200 Connection established\r\n\r\n";

/** The schema of what a result says of hosts that were refused. */
export const REFUSED_HOSTS = {
  type: "array",
  items: {
    type: "object",
    additionalProperties: false,
    required: ["host", "reason"],
    properties: { host: { type: "string" }, reason: { type: "string" } },
  },
  description: "Hosts that it wanted to connect to and was not let, and why. Absent where there was none.",
} as const;

type Connect = (target: string) => Promise<ConnectAnswer>;

export class EgressProxy implements Disposable {
  readonly #connect: Connect;
  readonly #over = new AbortController();
  readonly #open = new Set<Duplex>();
  readonly #refused = new Map<string, string>();
  readonly #door: ((connection: Duplex) => void) | null;
  #doors = 0;
  #lingering = 0;

  /** `door` serves those who want to speak with the host itself, as an agent that was launched may. */
  constructor(connect: Connect, door?: (connection: Duplex) => void) {
    this.#connect = connect;
    this.#door = door ?? null;
  }

  /** What policy did not let the program connect to, and why; a program tells little of what its proxy says. */
  get refused(): { readonly host: string; readonly reason: string }[] {
    return Array.from(this.#refused, ([host, reason]) => ({ host, reason }));
  }

  /** Never throws; whatever goes wrong is answered to the program, or ends its connection. */
  serve(connection: Duplex): void {
    this.#keep(connection);
    this.#serve(connection).catch(() => connection.destroy());
  }

  /** Ends all that is open. */
  [Symbol.dispose](): void {
    this.#over.abort(new FemtoError("FEMTO_CAPABILITY_CANCELLED", "the program ended"));
    for (const stream of this.#open) stream.destroy();
  }

  async #serve(connection: Duplex): Promise<void> {
    const head = await headOf(connection);
    if (head === null) return answer(connection, 408, `there was no request within ${HEAD_MS} ms`);
    if (head.kind === "refused") return answer(connection, head.status, head.reason);
    if (this.#door !== null && head.target === DOOR_TARGET) return this.#enter(connection, head.rest, this.#door);
    const answered = await this.#connect(head.target);
    if (!answered.ok) {
      const { reason, rules } = answered;
      if (this.#refused.size < LIMITS.connectHosts)
        this.#refused.set(printable(head.target, 300), printable(reason, 500));
      return answer(connection, 403, reason, rules);
    }
    const { bound, traffic, revoked } = answered;
    let socket: Socket;
    try {
      socket = await dial(bound, AbortSignal.any([revoked, this.#over.signal, closeOf(connection)]));
    } catch (error) {
      traffic.refused += 1;
      return answer(connection, 502, errorText(error));
    }
    traffic.connections += 1;
    this.#keep(socket);
    this.#tunnel(connection, socket, head.rest, answered);
  }

  #enter(connection: Duplex, rest: Buffer, door: (connection: Duplex) => void): void {
    // INVARIANT: I9: each client costs the host a server of its own.
    if (this.#doors >= DOORS_MAX) return answer(connection, 403, `${DOORS_MAX} MCP clients are connected already`);
    if (connection.destroyed) return;
    this.#doors += 1;
    connection.once("close", () => {
      this.#doors -= 1;
    });
    connection.write(ESTABLISHED);
    if (rest.length > 0) connection.unshift(rest);
    door(connection);
  }

  #tunnel(
    connection: Duplex,
    socket: Socket,
    rest: Buffer,
    { traffic, revoked }: Extract<ConnectAnswer, { ok: true }>,
  ): void {
    const end = (): void => {
      connection.destroy();
      socket.destroy();
    };
    // INVARIANT: I8: what is forbidden while it is open ends at once.
    if (revoked.aborted || this.#over.signal.aborted || connection.destroyed) return end();
    revoked.addEventListener("abort", end, { once: true });
    connection.on("close", () => this.#letGo(socket, connection.readableEnded));
    socket.on("close", () => {
      revoked.removeEventListener("abort", end);
      // What came before a proper end may still be on its way to the program.
      if (!connection.writableEnded) connection.destroy();
    });
    socket.on("error", end);
    connection.write(ESTABLISHED);
    if (rest.length > 0) socket.write(rest);
    traffic.bytesOut += rest.length;
    connection.on("data", (piece: Buffer) => {
      traffic.bytesOut += piece.length;
    });
    socket.on("data", (piece) => {
      traffic.bytesIn += piece.length;
    });
    connection.pipe(socket);
    socket.pipe(connection);
  }

  /**
   * INVARIANT: I9: what a program drops is over here, too, and of what it ended properly few wait until all was taken: else it
   * could leave behind any number of connections to somebody who does not read.
   */
  #letGo(socket: Socket, isEnded: boolean): void {
    if (!isEnded || this.#lingering >= LINGERING_MAX) {
      socket.destroy();
      return;
    }
    this.#lingering += 1;
    socket.once("close", () => {
      this.#lingering -= 1;
    });
    socket.destroySoon();
  }

  #keep(stream: Duplex): void {
    this.#open.add(stream);
    stream.on("close", () => this.#open.delete(stream));
  }
}

/** Aborts when nobody is there any more for whom it would be connected. */
function closeOf(connection: Duplex): AbortSignal {
  const gone = new AbortController();
  const close = (): void => gone.abort(new FemtoError("FEMTO_CAPABILITY_CANCELLED", "the program hung up"));
  if (connection.destroyed) close();
  else connection.once("close", close);
  return gone.signal;
}

type Head = Exclude<ReturnType<typeof requestHead>, { kind: "incomplete" }>;

/** Null where it does not come in time, or at all. */
async function headOf(connection: Duplex): Promise<Head | null> {
  const found = Promise.withResolvers<Head | null>();
  const late = setTimeout(() => found.resolve(null), HEAD_MS);
  let bytes: Buffer = Buffer.alloc(0);
  const take = (): void => {
    const piece: Buffer | null = connection.read();
    if (piece === null) return;
    bytes = Buffer.concat([bytes, piece]);
    const head = requestHead(bytes);
    if (head.kind !== "incomplete") found.resolve(head);
  };
  const end = (): void => found.resolve(null);
  connection.on("readable", take).on("end", end).on("close", end);
  try {
    return await found.promise;
  } finally {
    clearTimeout(late);
    connection.off("readable", take).off("end", end).off("close", end);
  }
}

/** The program is told why, and its connection is over: nothing that follows is read as another request. */
function answer(connection: Duplex, status: keyof typeof STATUS, reason: string, rules: readonly string[] = []): void {
  const text = `femtoclaw: ${printable(reason, REASON_CHARS)}\n`;
  const rule = rules.map((id) => printable(id, REASON_CHARS)).join(" ");
  connection.end(
    [
      `HTTP/1.1 ${status} ${STATUS[status]}`,
      "Connection: close",
      "Content-Type: text/plain; charset=utf-8",
      `Content-Length: ${Buffer.byteLength(text)}`,
      ...(rule === "" ? [] : [`X-FemtoClaw-Rules: ${asciiOnly(rule)}`]),
      "",
      text,
    ].join("\r\n"),
  );
  // Who does not hang up is not waited for: its place is for others.
  const late = setTimeout(() => connection.destroy(), HANG_UP_MS);
  connection.on("close", () => clearTimeout(late)).resume();
}

const asciiOnly = (text: string): string => text.replace(/[^\x20-\x7e]/g, "?");
