/** A runtime whose programs may connect to what a test says, and a client that speaks to the relay as a test says. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LookUp } from "@femtoclaw/capabilities";
import type { Configuration, Reply, TypedRecord } from "@femtoclaw/protocol";
import { type Runtime, type Session, systemSurroundings } from "@femtoclaw/runtime";
import { onTestFinished } from "vitest";
import { call, type Home, ofType, recordsOf, temporaryHome } from "../runtime-fixture.ts";

/** Says each of its arguments on a connection of its own, one after the other, and prints all that it is answered. */
const CLIENT = `
use IO::Socket::INET;
local $/;
for (@ARGV) {
  my $relay = IO::Socket::INET->new("127.0.0.1:3128") or do { print "no relay"; next };
  print $relay $_;
  $relay->flush;
  print scalar <$relay>;
}
`;

export interface Connecting {
  readonly home: Home;
  readonly runtime: Runtime;
  readonly session: Session;
  /** What the client was answered to each text in turn. */
  say(...texts: string[]): Promise<string>;
  /** Runs a program of the sandbox. */
  run(bin: string, ...argv: string[]): Promise<Reply>;
  records(): Promise<TypedRecord[]>;
}

export async function startConnecting(
  connect: Record<string, string[]>,
  configuration: Configuration = {},
  lookUp: LookUp = async () => [],
): Promise<Connecting> {
  const home = temporaryHome();
  mkdirSync(join(home.root, "workspace/secrets"));
  writeFileSync(join(home.root, "workspace/secrets/token"), "a secret\n");
  const runtime = await home.start({
    configuration: {
      ...configuration,
      capabilities: { process_exec: true, ...configuration.capabilities },
      allow: {
        run: { perl: [{ any: true, unsafe: true }], sh: [{ any: true, unsafe: true }] },
        ...configuration.allow,
      },
      sandbox: { connect },
    },
    surroundings: { ...systemSurroundings(), lookUp },
  });
  onTestFinished(() => runtime.close({ drainMs: 0 }));
  const session = runtime.openSession({ channel: "agent" });
  const run = async (bin: string, ...argv: string[]) => await session.propose(call("process_exec", { bin, argv }));
  return {
    home,
    runtime,
    session,
    run,
    say: async (...texts) => {
      const reply = await run("perl", "-e", CLIENT, ...texts);
      return String(reply.result?.["stdout"] ?? reply.error?.reason);
    },
    records: async () => await recordsOf(runtime.reader),
  };
}

/** Asks for a tunnel, and sends one request through it. */
export const through = (target: string, path = "/"): string =>
  `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\nGET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;

export const hopsOf = (records: readonly TypedRecord[]) => ofType(records, "execution.hop").map(({ body }) => body);
export const outcomesOf = (records: readonly TypedRecord[]) =>
  ofType(records, "execution.outcome").map(({ body }) => body);
