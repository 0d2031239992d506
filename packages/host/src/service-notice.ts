/**
 * Tells the service manager that the host takes calls. It listens on a Unix datagram socket, which Node.js has none of, so the
 * C library is called; the sender is this very process, so that the unit need believe nobody else.
 */
import assert from "node:assert/strict";
import { errorText, type HostEnvironment } from "@femtoclaw/protocol";

/** The part of node:ffi that is used; its types are not published yet. */
interface ForeignFunctions {
  readonly DynamicLibrary: new (
    name: string,
  ) => {
    getFunction(name: string, signature: { arguments: string[]; return: string }): (...args: unknown[]) => unknown;
  };
  getRawPointer(memory: ArrayBuffer): bigint;
}

const LIBRARY = "libc.so.6";
const [AF_UNIX, SOCK_DGRAM_CLOEXEC, MSG_NOSIGNAL] = [1, 0o2000002, 0x4000];
/** LIMIT: bytes of a socket's path that the kernel takes. */
const PATH_BYTES_MAX = 107;

const READY = "READY=1";

/**
 * Null where it was told or nobody wants to hear it; else why it was not told: a host that serves goes on all the same,
 * and the service manager says for itself what it waited for.
 */
export function tellServiceReady(environment: HostEnvironment): string | null {
  const path = environment["NOTIFY_SOCKET"];
  if (path === undefined || path === "") return null;
  try {
    send(path, READY);
    return null;
  } catch (error) {
    return errorText(error);
  }
}

function send(path: string, text: string): void {
  const bytes = Buffer.from(path.replace(/^@/, "\0"));
  assert((path.startsWith("/") || path.startsWith("@")) && bytes.length <= PATH_BYTES_MAX, "NOTIFY_SOCKET is no path");
  // The module is experimental: a build of Node.js without it has no such name.
  const { DynamicLibrary, getRawPointer } = builtin("node:ffi");
  const library = new DynamicLibrary(LIBRARY);
  const int = "int32";
  const socket = library.getFunction("socket", { arguments: [int, int, int], return: int });
  const sendto = library.getFunction("sendto", {
    arguments: [int, "uint64", "uint64", int, "uint64", "uint32"],
    return: "int64",
  });
  const close = library.getFunction("close", { arguments: [int], return: int });
  // Memory of its own, which is not moved while the system reads it.
  const address = memoryOf(Buffer.concat([Buffer.from(Uint16Array.of(AF_UNIX).buffer), bytes, Buffer.alloc(1)]));
  const message = memoryOf(Buffer.from(text));
  const descriptor = Number(socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0));
  assert(descriptor >= 0, "no socket");
  try {
    // A name without a file ends where its bytes end; one with a file may have its closing zero.
    const length = 2 + bytes.length;
    const sent = sendto(
      descriptor,
      getRawPointer(message),
      BigInt(message.byteLength),
      MSG_NOSIGNAL,
      getRawPointer(address),
      length,
    );
    assert(Number(sent) === message.byteLength, `nobody listens at ${path}`);
  } finally {
    close(descriptor);
  }
}

function builtin(name: string): ForeignFunctions {
  const module: unknown = process.getBuiltinModule(name);
  assert(module !== undefined, `this Node.js has no ${name}`);
  return module as ForeignFunctions;
}

function memoryOf(bytes: Uint8Array): ArrayBuffer {
  const memory = new ArrayBuffer(bytes.length);
  new Uint8Array(memory).set(bytes);
  return memory;
}
