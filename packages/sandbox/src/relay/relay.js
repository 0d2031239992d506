// @ts-check
/**
 * Runs inside the sandbox as the parent of the program. It listens on the sandbox's own loopback and forwards
 * connections through the one descriptor that leads out. It decides nothing and is trusted with nothing: a program may
 * kill it or impersonate it, and gains no more than the host grants at the other end. Plain JavaScript that imports
 * nothing of ours, because nothing else of FemtoClaw is there.
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createConnection, createServer, Socket } from "node:net";
import { constants } from "node:os";

/** What both ends agree on; frames.ts and relay-command.ts have the same values. */
const DESCRIPTOR = 7;
const PORT = 3128;
const TUNNEL = { port: 3129, word: "tunnel:" };
const OF_PROGRAM = "FEMTOCLAW_OF_PROGRAM_";
const FRAME = { open: 1, data: 2, end: 3, reset: 4, window: 5 };
const HEADER_BYTES = 7;
const PIECE_BYTES = 16_384;
const WINDOW_BYTES = 262_144;

/** @type {Buffer} */
const NOTHING = Buffer.alloc(0);

/** LIMIT: milliseconds that the last bytes of a program may take to get out after the call's program has ended. */
const FLUSH_MS = 1_000;

/** LIMIT: bytes of the answer to the request for a tunnel. */
const HEAD_BYTES = 8_192;

/** The first argument that makes the executable run as a relay. */
export const RELAY_WORD = "sandbox-relay";

/**
 * The arguments are descriptors to pass on, files with variables of the program, `tunnel:host:port`, `--`, the program
 * and its arguments. The relay's own environment holds further variables of the program under prefixed names.
 */
export function relay(/** @type {readonly string[]} */ args) {
  const channel = new Channel(new Socket({ fd: DESCRIPTOR, readable: true, writable: true }));
  const server = createServer({ allowHalfOpen: true }, (socket) => channel.accept(socket));
  server.on("error", (error) => fail(`the relay does not listen: ${error.message}`));
  const targets = args.slice(0, args.indexOf("--")).filter((word) => word.startsWith(TUNNEL.word));
  const tunnels = targets.map((word) => tunnelTo(word.slice(TUNNEL.word.length)));
  server.listen({ host: "127.0.0.1", port: PORT, backlog: 128 }, () => {
    start(args, (code) => {
      for (const listening of [server, ...tunnels]) listening.close();
      channel.flush(() => process.exit(code));
    });
  });
}

/**
 * Serves clients that use no proxy: each connection to the second port is forwarded to `target`, which is asked for as
 * usual.
 */
function tunnelTo(/** @type {string} */ target) {
  const tunnel = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    const way = createConnection({ host: "127.0.0.1", port: PORT, allowHalfOpen: true });
    const end = () => {
      socket.destroy();
      way.destroy();
    };
    let head = NOTHING;
    const onHead = (/** @type {Buffer | string} */ piece) => {
      head = Buffer.concat([head, Buffer.from(piece)]);
      const length = head.indexOf("\r\n\r\n", 0, "latin1");
      if (length === -1 && head.length <= HEAD_BYTES) return;
      way.off("data", onHead);
      // A refusal is an HTTP response that gives the host's reason, so the client gets it as it is.
      const isOpen = length !== -1 && /^HTTP\/1\.[01] 200 /.test(head.toString("latin1"));
      socket.write(isOpen ? head.subarray(length + 4) : head);
      way.pipe(socket);
      socket.pipe(way);
    };
    way.on("connect", () => way.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`));
    way.on("data", onHead).on("error", end).on("close", end);
    socket.on("error", end).on("close", () => way.destroySoon());
  });
  tunnel.on("error", (error) => fail(`the relay does not listen: ${error.message}`));
  return tunnel.listen({ host: "127.0.0.1", port: TUNNEL.port, backlog: 128 });
}

class Channel {
  /** @type {Map<number, Connection>} */
  #connections = new Map();
  #last = 0;
  #unread = NOTHING;
  #onSaid = () => {};

  constructor(/** @type {Socket} */ descriptor) {
    this.descriptor = descriptor;
    descriptor.on("data", (chunk) => this.#read(Buffer.from(chunk)));
    // Without the host there is no way out; the program goes on, but nobody hears it.
    descriptor
      .on("error", () => undefined)
      .on("close", () => {
        for (const { socket } of this.#connections.values()) socket.destroy();
      });
  }

  accept(/** @type {Socket} */ socket) {
    this.#last += 1;
    const id = this.#last;
    this.#send(FRAME.open, id);
    const send = (/** @type {number} */ type, payload = NOTHING) => this.#send(type, id, payload);
    this.#connections.set(id, new Connection(socket, send));
    socket.on("end", () => this.#onSaid());
    socket.on("close", () => {
      if (this.#connections.delete(id)) this.#send(FRAME.reset, id);
      this.#onSaid();
    });
  }

  /** Calls back once everything written was sent, or took too long. */
  flush(/** @type {() => void} */ done) {
    const deadline = setTimeout(done, FLUSH_MS);
    this.#onSaid = () => {
      if ([...this.#connections.values()].some(({ isSaid }) => !isSaid)) return;
      clearTimeout(deadline);
      this.descriptor.end(done);
    };
    this.#onSaid();
  }

  #send(/** @type {number} */ type, /** @type {number} */ id, payload = NOTHING) {
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt8(type, 0);
    header.writeUInt32BE(id, 1);
    header.writeUInt16BE(payload.length, 5);
    this.descriptor.write(Buffer.concat([header, payload]));
  }

  #read(/** @type {Buffer} */ chunk) {
    this.#unread = Buffer.concat([this.#unread, chunk]);
    while (this.#unread.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + this.#unread.readUInt16BE(5);
      if (this.#unread.length < end) return;
      const [type, id] = [this.#unread.readUInt8(0), this.#unread.readUInt32BE(1)];
      const payload = this.#unread.subarray(HEADER_BYTES, end);
      this.#unread = this.#unread.subarray(end);
      const connection = this.#connections.get(id);
      if (type === FRAME.reset) this.#connections.delete(id);
      connection?.take(type, payload);
    }
  }
}

/** One connection of a program. It reads no more from the program than the host has room for. */
class Connection {
  isSaid = false;
  #credit = WINDOW_BYTES;
  #untold = 0;

  constructor(/** @type {Socket} */ socket, /** @type {(type: number, payload?: Buffer) => void} */ send) {
    this.socket = socket;
    this.send = send;
    socket.on("readable", () => this.#pump());
    socket.on("error", () => undefined);
    socket.on("end", () => {
      this.isSaid = true;
      send(FRAME.end);
    });
  }

  take(/** @type {number} */ type, /** @type {Buffer} */ payload) {
    switch (type) {
      case FRAME.data:
        this.socket.write(payload, () => this.#consumed(payload.length));
        break;
      case FRAME.end:
        this.socket.end();
        break;
      case FRAME.reset:
        this.socket.destroy();
        break;
      case FRAME.window:
        this.#credit += payload.readUInt32BE(0);
        this.#pump();
    }
  }

  #pump() {
    for (;;) {
      const size = Math.min(this.#credit, PIECE_BYTES, this.socket.readableLength);
      // A read of nothing lets the stream notice its end.
      const piece = this.socket.read(size);
      if (!(piece instanceof Buffer) || size === 0) return;
      this.#credit -= size;
      this.send(FRAME.data, piece);
    }
  }

  #consumed(/** @type {number} */ bytes) {
    this.#untold += bytes;
    if (this.#untold < WINDOW_BYTES / 4) return;
    const credit = Buffer.alloc(4);
    credit.writeUInt32BE(this.#untold);
    this.#untold = 0;
    this.send(FRAME.window, credit);
  }
}

function start(/** @type {readonly string[]} */ args, /** @type {(code: number) => void} */ ended) {
  const cut = args.indexOf("--");
  const [program, ...rest] = args.slice(cut + 1);
  if (cut === -1 || program === undefined) return fail("the relay was given no program");
  const words = args.slice(0, cut);
  const files = words.filter((word) => word.startsWith("/"));
  const written = files.flatMap((file) => readFileSync(file, "utf8").split("\0").slice(0, -1));
  const own = Object.entries(process.env).flatMap(([name, value]) =>
    name.startsWith(OF_PROGRAM) ? [[name.slice(OF_PROGRAM.length), value]] : [],
  );
  const variables = written.map((variable) => {
    const at = variable.indexOf("=");
    return [variable.slice(0, at), variable.slice(at + 1)];
  });
  /** @type {import("node:child_process").StdioOptions & object} */
  const stdio = ["inherit", "inherit", "inherit"];
  for (const descriptor of words.filter((word) => /^\d+$/.test(word)).map(Number)) {
    while (stdio.length < descriptor) stdio.push("ignore");
    stdio[descriptor] = descriptor;
  }
  const child = spawn(program, rest, { stdio, env: Object.fromEntries([...own, ...variables]) });
  child.on("error", (error) => fail(error.message));
  child.on("exit", (code, signal) => ended(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  // A request to end goes to the processes right below process 1 of the sandbox, of which this is one.
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  // An interrupt typed at the terminal is for the program, which shares the terminal.
  for (const signal of ["SIGINT", "SIGQUIT"]) process.on(signal, () => undefined);
}

function fail(/** @type {string} */ reason) {
  process.stderr.write(`femtoclaw: ${reason}\n`);
  process.exit(127);
}
