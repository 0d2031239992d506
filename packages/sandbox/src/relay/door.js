// @ts-check
/**
 * Runs inside the sandbox of a launched agent, which starts it as its MCP server: it connects its input and output with
 * the host through the relay. It decides nothing and is trusted with nothing; an impostor could say no more than any
 * MCP client may. Plain JavaScript that imports nothing of ours, because nothing else of FemtoClaw is there.
 */
import { createConnection } from "node:net";

/** Where the relay listens, and the name that stands for the host there; relay-command.ts has the same values. */
const PORT = 3128;
const TARGET = "femtoclaw.invalid:1";

/** The first argument that makes the executable run as a door. */
export const DOOR_WORD = "sandbox-door";

/** LIMIT: bytes of the answer to the request for a tunnel. */
const HEAD_BYTES = 8_192;

export function door() {
  const socket = createConnection({ host: "127.0.0.1", port: PORT, allowHalfOpen: true });
  /** @type {Buffer} */
  let head = Buffer.alloc(0);
  const onHead = (/** @type {Buffer | string} */ piece) => {
    head = Buffer.concat([head, Buffer.from(piece)]);
    const end = head.indexOf("\r\n\r\n", 0, "latin1");
    if (end === -1 && head.length <= HEAD_BYTES) return;
    socket.off("data", onHead);
    const said = head.toString("latin1", 0, Math.max(0, end));
    if (end === -1 || !/^HTTP\/1\.[01] 200 /.test(said)) {
      fail(head.toString("utf8", end === -1 ? 0 : end + 4).trim() || said);
      return;
    }
    process.stdout.write(head.subarray(end + 4));
    process.stdin.pipe(socket);
    socket.pipe(process.stdout);
  };
  socket.on("connect", () => socket.write(`CONNECT ${TARGET} HTTP/1.1\r\nHost: ${TARGET}\r\n\r\n`));
  socket.on("data", onHead);
  socket.on("error", (error) => fail(error.message));
  socket.on("close", () => process.exit());
  // When nobody reads its output any more, the client has left.
  process.stdout.on("error", () => process.exit());
}

function fail(/** @type {string} */ reason) {
  process.stderr.write(`femtoclaw: the host is not reached: ${reason}\n`);
  process.exit(69);
}
