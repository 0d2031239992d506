/** The head of what a program asks its proxy. Strict: what two readers could take for different things is refused. Pure. */

/** LIMIT: bytes of a head; clients send a few hundred. */
const HEAD_BYTES = 8_192;
/** LIMIT: characters of host and port; the longest name has 253. */
const TARGET_CHARS = 300;

export type RequestHead =
  | { readonly kind: "incomplete" }
  /** `rest` is what came behind the head, already for whom it leads to. */
  | { readonly kind: "connect"; readonly target: string; readonly rest: Buffer }
  | { readonly kind: "refused"; readonly status: 400 | 405 | 431; readonly reason: string };

const END = "\r\n\r\n";
const REQUEST_LINE = /^(?<method>[A-Z]{1,16}) (?<target>[\x21-\x7e]+) HTTP\/1\.[01]$/;
const HEADER = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}:[\t\x20-\x7e\x80-\xff]*$/;
/** A tunnel has no body, so anyone who announces one means something else than what would become of it. */
const OF_BODY = /^(?:content-length|transfer-encoding|expect|upgrade)$/i;

export function requestHead(bytes: Buffer): RequestHead {
  const end = bytes.indexOf(END, 0, "latin1");
  if (end === -1 || end > HEAD_BYTES) {
    return bytes.length > HEAD_BYTES
      ? refused(431, `the head has more than ${HEAD_BYTES} bytes`)
      : { kind: "incomplete" };
  }
  const [line = "", ...headers] = bytes.toString("latin1", 0, end).split("\r\n");
  const { method, target = "" } = REQUEST_LINE.exec(line)?.groups ?? {};
  if (method === undefined) return refused(400, "this is no HTTP request to a proxy");
  if (!headers.every((header) => HEADER.test(header))) return refused(400, "there is a line that is no header");
  if (method !== "CONNECT") {
    return refused(405, "this proxy opens tunnels alone; use https, or let the program CONNECT for http, too");
  }
  if (headers.some((header) => OF_BODY.test(header.slice(0, header.indexOf(":"))))) {
    return refused(400, "a CONNECT has no body");
  }
  if (target.length > TARGET_CHARS) return refused(400, "the host is too long");
  return { kind: "connect", target, rest: bytes.subarray(end + END.length) };
}

function refused(status: 400 | 405 | 431, reason: string): RequestHead {
  return { kind: "refused", status, reason };
}
