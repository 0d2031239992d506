/** Programs that open and drop connections as fast as they can: what is left of each at the host ends with it. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { type Duplex, duplexPair } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ConnectAnswer } from "../src/capability.ts";
import { EgressProxy } from "../src/network/egress/egress-proxy.ts";

const CONNECT = "CONNECT there.example:443 HTTP/1.1\r\n\r\n";

const PIECE = 8_192;

/** Takes connections, and reads nothing of them. */
let server: Server;
let arrived: Socket[];
beforeEach(async () => {
  arrived = [];
  server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
    socket.on("error", () => undefined);
    arrived.push(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  for (const socket of arrived) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

function permitted(): Extract<ConnectAnswer, { ok: true }> {
  const { port } = server.address() as AddressInfo;
  const bound = { host: "there.example", port, addresses: ["127.0.0.1"] };
  const traffic = { connections: 0, refused: 0, bytesIn: 0, bytesOut: 0 };
  return { ok: true, bound, traffic, revoked: new AbortController().signal };
}

/** The host's end and the program's; what the program drops is destroyed at the host, as its relay has it. */
function connected(): readonly [Duplex, Duplex] {
  const [host, program] = duplexPair();
  for (const end of [host, program]) end.on("error", () => undefined);
  program.resume();
  return [host, program];
}

/** Both ends of each connection. */
const sockets = (): number => process.getActiveResourcesInfo().filter((kind) => kind === "TCPSocketWrap").length;

/** Says as much as is taken while nobody reads. */
async function fill(program: Duplex): Promise<void> {
  const isTaken = (): Promise<boolean> =>
    new Promise((resolve) => {
      const late = setTimeout(() => resolve(false), 300);
      program.write(Buffer.alloc(1_048_576), () => {
        clearTimeout(late);
        resolve(true);
      });
    });
  while (await isTaken());
}

test("what a program drops is over at the host, however little of it was read", async () => {
  using proxy = new EgressProxy(async () => permitted());
  const [host, program] = connected();
  const before = sockets();
  proxy.serve(host);
  program.write(CONNECT);
  await expect.poll(() => arrived.length).toBe(1);
  await fill(program);
  expect(sockets()).toBe(before + 2);
  host.destroy();
  await expect.poll(sockets, { timeout: 2_000 }).toBe(before + 1);
});

test("what a program ended properly gets there", async () => {
  using proxy = new EgressProxy(async () => permitted());
  const [host, program] = connected();
  proxy.serve(host);
  program.write(CONNECT);
  await expect.poll(() => arrived.length).toBe(1);
  program.end(Buffer.alloc(262_144, "x"));
  arrived[0]?.end();
  await once(host, "close");
  let bytes = 0;
  arrived[0]
    ?.on("data", (piece) => {
      bytes += piece.length;
    })
    .resume();
  await expect.poll(() => bytes).toBe(262_144);
});

test("of what programs ended properly few wait for who does not read", async () => {
  const answer = permitted();
  using proxy = new EgressProxy(async () => answer);
  const open = async (): Promise<readonly [Duplex, Duplex]> => {
    const ends = connected();
    proxy.serve(ends[0]);
    ends[1].write(CONNECT);
    const before = arrived.length;
    await expect.poll(() => arrived.length).toBe(before + 1);
    return ends;
  };
  const pieces = async (program: Duplex, bytes: number): Promise<void> => {
    for (let sent = 0; sent < bytes; sent += PIECE) {
      const taken = new Promise((resolve) => program.write(Buffer.alloc(PIECE), resolve));
      const late = new Promise((resolve) => setTimeout(resolve, 100, "late"));
      if ((await Promise.race([taken, late])) === "late") return;
    }
  };
  // How much goes, what waits at the host included; a little less of it is all read from the program, and not all gone.
  await pieces((await open())[1], Number.POSITIVE_INFINITY);
  const most = answer.traffic.bytesOut;
  const before = sockets();
  for (let opened = 1; opened <= 24; opened += 1) {
    const [host, program] = await open();
    await pieces(program, most - 5 * PIECE);
    program.end();
    arrived.at(-1)?.end();
    // Where the system took less this time, it is not all read.
    const late = setTimeout(() => host.destroy(), 100);
    await once(host, "close");
    clearTimeout(late);
  }
  await expect.poll(() => sockets() - before - 24, { timeout: 2_000 }).toBeLessThanOrEqual(16);
}, 30_000);

test("who hung up while it was decided is connected to nobody", async () => {
  const decided = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  using proxy = new EgressProxy(async () => {
    asked.resolve();
    await decided.promise;
    return permitted();
  });
  const [host, program] = connected();
  proxy.serve(host);
  program.write(CONNECT);
  await asked.promise;
  host.destroy();
  decided.resolve();
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(arrived).toEqual([]);
});
