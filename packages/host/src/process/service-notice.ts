/**
 * Tells the service manager about the host: that it takes calls, that it is alive, that it ends. The manager listens on
 * a Unix datagram socket. Node.js has no support for these, so the C library is called. The sender is this very
 * process, so the unit does not have to trust any other.
 */
import assert from "node:assert/strict";
import { errorText, type HostEnvironment } from "@femtoclaw/protocol";
import { cLibrary, foreignFunctions } from "@femtoclaw/sandbox/foreign-functions";

const [AF_UNIX, SOCK_DGRAM_CLOEXEC, MSG_NOSIGNAL] = [1, 0o2000002, 0x4000];
/** LIMIT: bytes of a socket's path that the kernel accepts. */
const PATH_BYTES_MAX = 107;

/**
 * LIMIT: milliseconds between two signs of life: short enough for a short watchdog interval, and no longer than a timer
 * can wait.
 */
const SIGN_MIN_MS = 100;
const SIGN_MAX_MS = 3_600_000;

export type ServiceNotice = "READY=1" | "WATCHDOG=1" | "STOPPING=1";

/**
 * Returns null if the notice was sent or nobody wants it, otherwise why it was not sent. The host goes on serving all
 * the same, and the service manager itself reports what it waited for.
 */
export function tellService(environment: HostEnvironment, notice: ServiceNotice): string | null {
  const path = environment["NOTIFY_SOCKET"];
  if (path === undefined || path === "") return null;
  try {
    send(path, notice);
    return null;
  } catch (error) {
    return errorText(error);
  }
}

/**
 * Sends a sign of life as often as the service manager wants one, as long as `isAlive` returns true. The timer runs in
 * the thread that decides about calls, so if that hangs, no sign is sent. Disposing of the result ends this.
 */
export function watchService(environment: HostEnvironment, isAlive: () => boolean): Disposable {
  const everyMs = signEveryMs(environment);
  if (everyMs === null) return { [Symbol.dispose]: () => undefined };
  const timer = setInterval(() => {
    if (isAlive()) tellService(environment, "WATCHDOG=1");
  }, everyMs);
  // The timer does not keep the process alive.
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Half of the time after which a silent process counts as dead; null if nobody watches this process. */
function signEveryMs(environment: HostEnvironment): number | null {
  const { NOTIFY_SOCKET: socket = "", WATCHDOG_USEC: time = "", WATCHDOG_PID: watched = "" } = environment;
  if (socket === "" || !/^[1-9]\d{0,15}$/.test(time)) return null;
  if (watched !== "" && watched !== String(process.pid)) return null;
  return Math.min(SIGN_MAX_MS, Math.max(SIGN_MIN_MS, Math.floor(Number(time) / 2_000)));
}

function send(path: string, text: string): void {
  const bytes = Buffer.from(path.replace(/^@/, "\0"));
  assert((path.startsWith("/") || path.startsWith("@")) && bytes.length <= PATH_BYTES_MAX, "NOTIFY_SOCKET is no path");
  const { getRawPointer } = foreignFunctions();
  const library = cLibrary();
  const int = "int32";
  const socket = library.getFunction("socket", { arguments: [int, int, int], return: int });
  const sendto = library.getFunction("sendto", {
    arguments: [int, "uint64", "uint64", int, "uint64", "uint32"],
    return: "int64",
  });
  const close = library.getFunction("close", { arguments: [int], return: int });
  // Separate buffers, which are not moved while the system reads them.
  const address = memoryOf(Buffer.concat([Buffer.from(Uint16Array.of(AF_UNIX).buffer), bytes, Buffer.alloc(1)]));
  const message = memoryOf(Buffer.from(text));
  const descriptor = Number(socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0));
  assert(descriptor >= 0, "no socket");
  try {
    // The length does not include the terminating zero: an abstract name ends with its bytes, and for a path the zero
    // is optional.
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

function memoryOf(bytes: Uint8Array): ArrayBuffer {
  const memory = new ArrayBuffer(bytes.length);
  new Uint8Array(memory).set(bytes);
  return memory;
}
