/** A page on this machine, for a request that is allowed. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

const PAGE_TEXT = "from the page";

export class Page implements AsyncDisposable {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(): Promise<Page> {
    const server = createServer((_request, response) => response.end(PAGE_TEXT));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new Page(server);
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
