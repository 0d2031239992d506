/**
 * Servers of this machine for cases about hosts: one that calls may reach, and one that no call may. What connects
 * to the second, in whatever spelling, is counted before a byte of it is read.
 */
import { createServer, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from "node:net";
import type { LookUp } from "@femtoclaw/capabilities";

export class CorpusServers {
  readonly #honest: Server;
  readonly #canary: TcpServer;
  #connections = 0;

  private constructor() {
    this.#honest = createServer(({ url = "" }, response) => {
      const [path, target = ""] = url.split("?");
      if (path === "/to") response.writeHead(302, { location: decodeURIComponent(target) }).end();
      else if (path === "/keep") response.writeHead(307, { location: decodeURIComponent(target) }).end();
      else response.end(`an honest answer to ${url}`);
    });
    this.#canary = createTcpServer((socket) => {
      this.#connections += 1;
      socket.on("error", () => undefined).end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    });
  }

  static async start(): Promise<CorpusServers> {
    const servers = new CorpusServers();
    await new Promise<void>((resolve) => servers.#honest.listen(0, "127.0.0.1", resolve));
    // Every address of this machine, of both families.
    await new Promise<void>((resolve) => servers.#canary.listen(0, "::", resolve));
    return servers;
  }

  /** Ports as the texts of a suite name them. */
  get values(): Readonly<Record<string, string>> {
    return { honest: portOf(this.#honest), canary: portOf(this.#canary) };
  }

  /** Connections to what nobody may reach. */
  get connections(): number {
    return this.#connections;
  }

  async close(): Promise<void> {
    this.#honest.closeAllConnections();
    await Promise.all([this.#honest, this.#canary].map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

function portOf(server: TcpServer): string {
  return String((server.address() as AddressInfo).port);
}

/** Addresses by name, as a suite states them, separated by spaces; nothing is ever asked outside of this machine. */
export function statedNames(names: Readonly<Record<string, string>>): LookUp {
  return async (name) => (names[name] ?? "").split(" ").filter((address) => address !== "");
}
