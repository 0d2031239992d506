/** MCP over stdin and stdout. The process serves one client, which has one session at the host. */
import type { Readable, Writable } from "node:stream";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { type Connect, HostSession } from "./host-session.ts";
import { LineTransport } from "./line-transport.ts";
import { Listens } from "./listens.ts";
import { makeServer, subscribe, tellChanged } from "./server.ts";

export interface StdioOptions {
  readonly connect: Connect;
  readonly waitMs: number;
  readonly input: Readable;
  readonly output: Writable;
  /** Called with errors outside of the protocol. */
  onError(error: Error): void;
}

/** Serves until the client has left or the signal aborts. */
export async function serveMcpStdio(options: StdioOptions, signal: AbortSignal): Promise<void> {
  const { connect, waitMs, input, output, onError } = options;
  const host = new HostSession(connect);
  const left = Promise.withResolvers<void>();
  const transport = new LineTransport(input, output);
  host.untilRead = () => transport.untilRead();
  const listens = new Listens({
    subscribe: async (uri) => {
      await subscribe({ host, waitMs }, uri);
      return true;
    },
    unsubscribe: (uri) => host.unsubscribe(uri),
  });
  transport.admit = (message) => listens.admit(message);
  const handle = serveStdio(
    () => {
      const server = makeServer({ host, waitMs, leavingCancels: false });
      host.onResourceUpdated = (uri) => void server.sendResourceUpdated({ uri }).catch(() => undefined);
      host.onToolsChanged = () => void tellChanged(server).catch(() => undefined);
      return server;
    },
    { transport, onerror: onError },
  );
  // The transport reports its end only to its owner, which is `serveStdio` and has set this handler by now.
  const closed = transport.onclose;
  transport.onclose = () => {
    closed?.();
    left.resolve();
  };
  const stop = (): void => void handle.close();
  signal.addEventListener("abort", stop, { once: true });
  await left.promise;
  await host.close();
}
