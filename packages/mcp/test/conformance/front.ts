/**
 * What stands between the official suite and the product's endpoint: it shows the token, which the suite has no option
 * for, and takes the name of the server from tools and prompts, which the suite calls by fixed names. All else, headers
 * among it, passes as it is.
 */
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { HttpPlace } from "../mcp-place.ts";

export class Front implements AsyncDisposable {
  readonly #server: Server;
  readonly #place: HttpPlace;
  /** `fixture__`, or nothing. */
  readonly #prefix: string;

  private constructor(place: HttpPlace, prefix: string) {
    this.#place = place;
    this.#prefix = prefix;
    this.#server = createServer((from, to) => void this.#pass(from, to));
  }

  static async before(place: HttpPlace, prefix = ""): Promise<Front> {
    const front = new Front(place, prefix);
    await new Promise<void>((resolve) => front.#server.listen(0, "127.0.0.1", resolve));
    return front;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/mcp`;
  }

  async #pass(from: IncomingMessage, to: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of from) chunks.push(chunk as Buffer);
    const body = Buffer.from(this.#inward(Buffer.concat(chunks).toString("utf8")));
    const { token, port } = this.#place;
    const { "transfer-encoding": _, ...passed } = from.headers;
    const headers = {
      ...passed,
      ...(typeof passed["mcp-name"] === "string" ? { "mcp-name": this.#named(passed["mcp-name"], "") } : {}),
      authorization: `Bearer ${token}`,
      ...(body.length > 0 ? { "content-length": String(body.length) } : {}),
    };
    const onward = request({ port, host: "127.0.0.1", path: from.url, method: from.method, headers }, (answer) => {
      const { "content-length": __, ...told } = answer.headers;
      to.writeHead(answer.statusCode ?? 502, told);
      // Events end with a line; so none is cut where it names something.
      let rest = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => {
        const lines = `${rest}${chunk}`.split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) to.write(`${this.#outward(line)}\n`);
      });
      answer.on("end", () => to.end(this.#outward(rest)));
    });
    onward.on("error", () => to.destroy());
    to.on("close", () => onward.destroy());
    onward.end(body);
  }

  #inward(text: string): string {
    if (this.#prefix === "" || text === "") return text;
    try {
      const message = JSON.parse(text) as { method?: string; params?: { name?: string; ref?: { name?: string } } };
      const { method = "", params } = message;
      if (params?.name !== undefined && ["tools/call", "prompts/get"].includes(method)) {
        return JSON.stringify({ ...message, params: { ...params, name: this.#named(params.name, method) } });
      }
      if (params?.ref?.name !== undefined) {
        const ref = { ...params.ref, name: this.#named(params.ref.name, method) };
        return JSON.stringify({ ...message, params: { ...params, ref } });
      }
    } catch {
      // What is no JSON is for the server to refuse.
    }
    return text;
  }

  #named(name: string, method: string): string {
    return name.includes("://") || (method === "" && this.#prefix === "") ? name : `${this.#prefix}${name}`;
  }

  #outward(text: string): string {
    return this.#prefix === "" ? text : text.replaceAll(`"name":"${this.#prefix}`, '"name":"');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
