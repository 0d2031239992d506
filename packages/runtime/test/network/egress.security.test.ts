import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import type { Socket } from "node:net";
import type { RunTable } from "@femtoclaw/protocol";
import { describe, expect, it } from "vitest";
import { call } from "../runtime-fixture.ts";
import { type Connecting, hopsOf, outcomesOf, startConnecting, through } from "./egress-fixture.ts";
import { raw, web } from "./fetch-fixture.ts";

const site = () => web((request, response) => response.end(`hello ${request.url}`));

/** Every answer of a proxy begins with its status. */
const statuses = (text: string): string[] =>
  Array.from(text.matchAll(/HTTP\/1\.1 (\d{3}) /g), ([, code]) => code ?? "");

async function lastTraffic({ records }: Connecting) {
  return outcomesOf(await records()).at(-1)?.connections;
}

describe("what a program connects to", () => {
  it("is decided once for each host and port, recorded before anything is sent, and counted", async () => {
    const [open, other] = [await site(), await site()];
    const here = `127.0.0.1:${open.port}`;
    const there = `127.0.0.1:${other.port}`;
    // What the one call of a budget is permitted for it may do.
    const connecting = await startConnecting({ perl: [here] }, { budgets: { calls: 1 } });
    const said = await connecting.say(through(here), through(there), through(here, "/two"), through(there));
    expect(statuses(said)).toEqual(["200", "200", "403", "200", "200", "403"]);
    expect([open.requests, other.requests]).toEqual([["GET /", "GET /two"], []]);
    const records = await connecting.records();
    const found = hopsOf(records).map(({ allowed, location, hop, rules }) => ({ allowed, location, hop, rules }));
    expect(found).toEqual([
      { allowed: true, location: here, hop: 1, rules: ["toml/sandbox.connect.perl/1"] },
      { allowed: false, location: there, hop: 2, rules: ["floor/connect/private-address"] },
    ]);
    expect(await lastTraffic(connecting)).toMatchObject([
      { host: here, connections: 2, refused: 0, bytes_out: 95 },
      { host: there, connections: 0, refused: 2, bytes_out: 0, bytes_in: 0 },
    ]);
    const types = records.map(({ type }) => type).filter((type) => type.startsWith("execution."));
    expect(types).toEqual(["execution.intent", "execution.hop", "execution.hop", "execution.outcome"]);
  });

  it("is one program's alone, and nobody else has so much as a relay", async () => {
    const open = await site();
    const here = `127.0.0.1:${open.port}`;
    const connecting = await startConnecting({ sh: [here] });
    expect(await connecting.say(through(here))).toBe("no relay");
    const reply = await connecting.run("sh", "-c", 'exec perl -e "$0" "$1"', CLIENT_OF_CHILD, through(here));
    expect(reply.result?.["stdout"]).toContain("hello /");
  });

  it("is shared by the programs of a pipeline, each of which is told how it ended", async () => {
    const open = await site();
    const here = `127.0.0.1:${open.port}`;
    const connecting = await startConnecting({ sh: [here], perl: [here, "192.0.2.1:1"] });
    const talk = { bin: "sh", argv: ["-c", 'perl -e "$0" "$1"', CLIENT_OF_CHILD, through(here)] };
    const pipeline = [talk, { bin: "perl", argv: ["-e", "print uc for <>; exit 3"] }];
    const { result } = await connecting.session.propose(call("process_exec", { pipeline }));
    expect(result).toMatchObject({ exit_code: 3, stages: [{ exit_code: 0 }, { exit_code: 3 }] });
    expect(result?.["stdout"]).toContain("HELLO /");
    expect(hopsOf(await connecting.records())).toMatchObject([{ allowed: true, location: here }]);
  });

  it("leads from a pipeline to what each of its programs may connect to, and to nothing else", async () => {
    const open = await site();
    const here = `127.0.0.1:${open.port}`;
    const talk = { bin: "sh", argv: ["-c", 'perl -e "$0" "$1"', CLIENT_OF_CHILD, through(here)] };
    const pipeline = [talk, { bin: "perl", argv: ["-e", "print uc for <>"] }];
    const one = await startConnecting({ perl: [here] });
    const { result } = await one.session.propose(call("process_exec", { pipeline }));
    expect(result?.["stderr"]).toContain("no relay");
    const other = await startConnecting({ sh: ["192.0.2.1:1"], perl: [here] });
    const answered = await other.session.propose(call("process_exec", { pipeline }));
    expect(answered.result?.["stdout"]).toContain(" 403 ");
    expect(hopsOf(await other.records())).toMatchObject([{ allowed: false, location: here }]);
  });

  it("is nothing that an entry of fetch permits, and nothing that one of fetch forbids", async () => {
    const open = await site();
    const here = `127.0.0.1:${open.port}`;
    const run: RunTable = { perl: [{ any: true, unsafe: true }] };
    const other = { perl: ["192.0.2.1:1"] };
    const fetched = await startConnecting(other, { allow: { run, fetch: [here] }, capabilities: { net_fetch: true } });
    expect(statuses(await fetched.say(through(here)))).toEqual(["403"]);
    const denied = await startConnecting({ perl: [here] }, { deny: { fetch: ["127.0.0.1"] } });
    expect(await denied.say(through(here))).toContain("X-FemtoClaw-Rules: toml/deny.fetch/1");
    const asked = await startConnecting({ perl: [here] }, { ask: { fetch: [here] } });
    expect(await asked.say(through(here))).toContain("HTTP/1.1 403 ");
    expect(hopsOf(await asked.records())).toMatchObject([{ allowed: false, rules: ["toml/ask.fetch/1"] }]);
    expect(open.requests).toEqual([]);
  });

  it("is looked up once for all its connections, and only where an entry lists it", async () => {
    const open = await site();
    const asked: string[] = [];
    // The second answer would lead elsewhere.
    const connecting = await startConnecting(
      { perl: [`here.test:${open.port}`, "inner.test:80"] },
      {},
      async (name) => {
        asked.push(name);
        return asked.length === 1 ? ["127.0.0.1"] : ["169.254.169.254"];
      },
    );
    const here = `here.test:${open.port}`;
    const said = await connecting.say(through(here), through(here.toUpperCase()), through("other.test:443"));
    expect(statuses(said)).toEqual(["200", "200", "200", "200", "403"]);
    expect(statuses(await connecting.say(through("inner.test:80")))).toEqual(["403"]);
    expect(asked).toEqual(["here.test", "inner.test"]);
  });

  const HOSTILE = [
    "2130706433:80",
    "0x7f.1:80",
    "0177.0.0.1:80",
    "127.1:80",
    "127.0.0.1:080",
    "127.0.0.1:0",
    "127.0.0.1:65536",
    "127.0.0.1",
    "[::ffff:127.0.0.1]:80",
    "[0:0:0:0:0:0:0:1]:80",
    "[::1%25lo]:80",
    "localhost.:80",
    "user@127.0.0.1:80",
    "127.0.0.1:80@example.com:443",
    "127.0.0.1:80/x",
    "http://127.0.0.1:80",
    "ex%61mple.com:443",
    "example.com#:443",
    "example..com:443",
    `${"a".repeat(250)}.com:443`,
  ];

  it("is refused in every spelling that another reader might take for another host", async () => {
    const connecting = await startConnecting({ perl: ["*:80", "*:443"] }, {}, async () => ["127.0.0.1"]);
    const said = await connecting.say(...HOSTILE.map((target) => through(target)));
    expect(statuses(said)).toEqual(HOSTILE.map(() => "403"));
    const hops = hopsOf(await connecting.records());
    expect(hops).toHaveLength(HOSTILE.length);
    expect(hops.every(({ allowed }) => !allowed)).toBe(true);
  });

  it("is no special address, whatever a wide entry says", async () => {
    const targets = ["169.254.169.254:80", "[fe80::1]:80", "10.0.0.1:80", "[::ffff:a00:1]:80", "metadata.test:80"];
    const connecting = await startConnecting({ perl: ["*:80"] }, {}, async () => ["169.254.169.254"]);
    expect(statuses(await connecting.say(...targets.map((target) => through(target))))).toEqual(
      targets.map(() => "403"),
    );
    const rules = new Set(hopsOf(await connecting.records()).flatMap((hop) => hop.rules));
    expect([...rules].sort()).toEqual(["floor/connect/private-address", "floor/connect/special-address"]);
  });

  it("is looked up once for all programs of a pipeline, so that each is asked about the address that is dialled", async () => {
    const open = await site();
    const [here, named] = [`127.0.0.1:${open.port}`, `here.test:${open.port}`];
    const asked: string[] = [];
    // Of two lookups one could show each program an address that suits it.
    const lookUp = async (name: string) => {
      asked.push(name);
      return [asked.length === 1 ? "127.0.0.1" : "192.0.2.1"];
    };
    const connecting = await startConnecting({ sh: [named, here], perl: [named, here] }, {}, lookUp);
    const talk = { bin: "sh", argv: ["-c", 'perl -e "$0" "$1"', CLIENT_OF_CHILD, through(named)] };
    const pipeline = [talk, { bin: "perl", argv: ["-e", "print uc for <>"] }];
    await connecting.session.propose(call("process_exec", { pipeline }));
    expect(asked).toEqual(["here.test"]);
    // A lookup tells what stands in an entry, so one program's entry is not enough for it.
    const half = await startConnecting({ sh: [here], perl: [named] }, {}, lookUp);
    await half.session.propose(call("process_exec", { pipeline }));
    expect(asked).toEqual(["here.test"]);
    expect(hopsOf(await half.records())).toMatchObject([{ allowed: false, location: named }]);
  });

  it("is narrowed by the tables of an agent", async () => {
    const open = await site();
    const here = `127.0.0.1:${open.port}`;
    const connecting = await startConnecting({ perl: [here] }, { agent: { narrow: { allow: { fetch: ["a.test"] } } } });
    const session = connecting.runtime.openSession({ channel: "agent", principal: "narrow" });
    const argv = ["-e", CLIENT_OF_CHILD, through(here)];
    const reply = await session.propose(call("process_exec", { bin: "perl", argv }));
    expect(reply.result?.["stdout"]).toContain("X-FemtoClaw-Rules: toml/agent.narrow.allow.fetch/connect");
    const reason = expect.stringContaining("toml/agent.narrow.allow.fetch/connect");
    expect(reply.result?.["refused"]).toEqual([{ host: here, reason }]);
    expect(statuses(await connecting.say(through(here)))).toEqual(["200", "200"]);
  });
});

/** The same client as the fixture's, for one text. */
const CLIENT_OF_CHILD =
  'use IO::Socket::INET; local $/; my $s = IO::Socket::INET->new("127.0.0.1:3128") or die "no relay"; print $s $ARGV[0] // $0; $s->flush; print scalar <$s>;';

describe("what is said to the proxy", () => {
  it("is one CONNECT and nothing else", async () => {
    const open = await site();
    const here = `127.0.0.1:${open.port}`;
    const connecting = await startConnecting({ perl: [here] });
    const head = (...lines: string[]): string => `${lines.join("\r\n")}\r\n\r\n`;
    const wrong: [string, string][] = [
      [head(`GET http://${here}/ HTTP/1.1`), "405"],
      [head(`POST / HTTP/1.1`, "Content-Length: 3"), "405"],
      [head(`CONNECT ${here} HTTP/1.1`, "Content-Length: 5"), "400"],
      [head(`CONNECT ${here} HTTP/1.1`, "Transfer-Encoding : chunked"), "400"],
      [head(`CONNECT ${here} HTTP/1.1`, "transfer-encoding: chunked"), "400"],
      [head(`CONNECT ${here} HTTP/1.1`, " folded: header"), "400"],
      [head(`CONNECT  ${here} HTTP/1.1`), "400"],
      [head(`connect ${here} HTTP/1.1`), "400"],
      [head(`CONNECT ${here}\tHTTP/1.1`), "400"],
      [head(`CONNECT ${here} HTTP/2.0`), "400"],
      [head(`CONNECT ${here} HTTP/1.1`, "a: b\nCONNECT 10.0.0.1:1 HTTP/1.1"), "400"],
      [head(`CONNECT ${here} HTTP/1.1`, "a: \0"), "400"],
      [head("\x16\x03\x01\x02\x00"), "400"],
      [head(`CONNECT ${"a".repeat(400)}:1 HTTP/1.1`), "400"],
      [`CONNECT ${here} HTTP/1.1\r\n${"x: y\r\n".repeat(2_000)}\r\n`, "431"],
    ];
    const texts = wrong.map(([text]) => text.replaceAll("\0", "\x01"));
    expect(statuses(await connecting.say(...texts))).toEqual(wrong.map(([, status]) => status));
    expect(open.requests).toEqual([]);
    expect(hopsOf(await connecting.records())).toEqual([]);
  });
});

describe("a tunnel", () => {
  it("carries much in both directions without a byte lost, also past a half close", async () => {
    const hash = createHash("sha256");
    const { port } = await raw((socket) => {
      let bytes = 0;
      socket.on("data", (piece) => {
        bytes += piece.length;
        hash.update(piece);
      });
      socket.on("end", () => socket.end(Buffer.alloc(6_000_000, `${bytes} `)));
    });
    const connecting = await startConnecting({ perl: [`127.0.0.1:${port}`] });
    const program = `use IO::Socket::INET; use Digest::SHA; my $s = IO::Socket::INET->new("127.0.0.1:3128") or die;
      print $s "CONNECT 127.0.0.1:${port} HTTP/1.1\\r\\n\\r\\n"; $s->flush; my $line = <$s>; <$s>;
      my $piece = join("", map { chr($_ % 256) } 0..65535); print $s $piece for 1..100; $s->flush; $s->shutdown(1);
      my ($all, $first) = (0, ""); while (read($s, my $got, 65536)) { $first ||= substr($got, 0, 8); $all += length $got } print "$all $first"`;
    const reply = await connecting.run("perl", "-e", program);
    expect(reply.result?.["stdout"]).toBe("6000000 6553600 ");
    const piece = Buffer.from(Array.from({ length: 65_536 }, (_, at) => at % 256));
    expect(hash.digest("hex")).toBe(
      createHash("sha256")
        .update(Buffer.concat(Array(100).fill(piece)))
        .digest("hex"),
    );
    expect(await lastTraffic(connecting)).toMatchObject([{ bytes_out: 6_553_600, bytes_in: 6_000_000 }]);
  });

  it("ends with its call, also one that is cancelled", async () => {
    const sockets: Socket[] = [];
    const { port } = await raw((socket) => sockets.push(socket.resume()));
    const connecting = await startConnecting({ perl: [`127.0.0.1:${port}`] });
    const abort = new AbortController();
    const argv = ["-e", `${CLIENT_OF_CHILD}; sleep 60`, `CONNECT 127.0.0.1:${port} HTTP/1.1\r\n\r\nhello`];
    const reply = connecting.session.propose(call("process_exec", { bin: "perl", argv }), { signal: abort.signal });
    await expect.poll(() => sockets[0]?.bytesRead).toBe(5);
    abort.abort();
    expect((await reply).error?.code).toBe("FEMTO_CAPABILITY_CANCELLED");
    await expect.poll(() => sockets[0]?.destroyed).toBe(true);
    expect(await lastTraffic(connecting)).toMatchObject([{ connections: 1, bytes_out: 5 }]);
  });

  it("ends when its host is forbidden since somebody read a secret, and is not opened again", async () => {
    const sockets: Socket[] = [];
    const { port } = await raw((socket) => sockets.push(socket.resume()));
    const here = `127.0.0.1:${port}`;
    const connecting = await startConnecting(
      { perl: [here] },
      {
        capabilities: { fs_read: true },
        allow: { run: { perl: [{ any: true, unsafe: true }] }, read: ["workspace"] },
        sensitive: { secret: ["workspace/secrets"] },
        after_secret: { fetch: ["*"] },
      },
    );
    // The second text waits for the first connection to end, which the read of the secret brings about.
    const said = connecting.say(through(here), through(here));
    await expect.poll(() => sockets[0]?.bytesRead).toBeGreaterThan(0);
    const read = await connecting.session.propose(call("fs_read", { path: "secrets/token" }));
    expect(read.status).toBe("completed");
    expect(statuses(await said)).toEqual(["200", "403"]);
    expect(sockets).toHaveLength(1);
    const found = hopsOf(await connecting.records()).map(({ allowed, hop, rules }) => ({ allowed, hop, rules }));
    expect(found).toEqual([
      { allowed: true, hop: 1, rules: ["toml/sandbox.connect.perl/1"] },
      { allowed: false, hop: 1, rules: ["toml/after_secret.fetch/1"] },
    ]);
  });

  it("is none where untrusted content forbids it, because whoever may connect may have read some", async () => {
    const open = await site();
    const here = `127.0.0.1:${open.port}`;
    const connecting = await startConnecting({ perl: [here] }, { after_untrusted: { fetch: ["*"] } });
    expect(statuses(await connecting.say(through(here)))).toEqual(["403"]);
    expect(hopsOf(await connecting.records())).toMatchObject([{ rules: ["toml/after_untrusted.fetch/1"] }]);
    expect(open.requests).toEqual([]);
  });

  it("counts against the budget of bytes, in the midst of the call and after it", async () => {
    const large = await web((_request, response) => response.end("x".repeat(20_000)));
    const other = await site();
    const [here, there] = [`127.0.0.1:${large.port}`, `127.0.0.1:${other.port}`];
    const connecting = await startConnecting({ perl: [here, there] }, { budgets: { bytes: 20_000 } });
    const said = await connecting.say(through(there), through(here), through(here), through(there));
    // Of a tunnel both the proxy and the site say yes.
    expect(statuses(said)).toEqual(["200", "200", "200", "200", "403", "403"]);
    expect([large.requests, other.requests]).toEqual([["GET /"], ["GET /"]]);
    const hops = hopsOf(await connecting.records()).map(({ allowed, location, rules }) => ({
      allowed,
      location,
      rules,
    }));
    expect(hops.slice(2)).toEqual([
      { allowed: false, location: here, rules: ["budget/bytes"] },
      { allowed: false, location: there, rules: ["budget/bytes"] },
    ]);
    // The session has nothing left for another call, connected or not.
    const next = await connecting.run("perl", "-e", "1");
    expect(next.error).toMatchObject({ code: "FEMTO_BUDGET_EXCEEDED" });
  });

  it("is one of few: who floods with half-open ones, never reads, or never ends holds up nobody else", async () => {
    const open = await site();
    const here = `127.0.0.1:${open.port}`;
    const connecting = await startConnecting({ perl: [here] });
    // More than may be open at once: the first say nothing, those behind them find no place, and then one that is served.
    const flood = `use IO::Socket::INET; my @s = map { IO::Socket::INET->new("127.0.0.1:3128") } 1..80;
      my $closed = 0; for (@s[64..79]) { my $got = sysread($_, my $b, 1); $closed++ if !$got } print "$closed closed ";
      close $_ for splice(@s, 0, 4); select(undef, undef, undef, 0.3); $ARGV[0] = $ARGV[0]; ${CLIENT_OF_CHILD}`;
    const flooded = await connecting.run("perl", "-e", flood, through(here));
    expect(flooded.result?.["stdout"]).toMatch(/^16 closed HTTP\/1.1 200 .*hello \//s);
    const endless = await raw((socket) => {
      const more = (): void => {
        while (socket.write(Buffer.alloc(65_536)));
        socket.once("drain", more);
      };
      more();
    });
    const unread = await startConnecting({ perl: [here, `127.0.0.1:${endless.port}`] });
    const program = `use IO::Socket::INET; my $s = IO::Socket::INET->new("127.0.0.1:3128");
      print $s "CONNECT 127.0.0.1:${endless.port} HTTP/1.1\\r\\n\\r\\n"; $s->flush; select(undef, undef, undef, 0.3); ${CLIENT_OF_CHILD}`;
    const read = await unread.run("perl", "-e", program, through(here));
    expect(read.result?.["stdout"]).toContain("hello /");
    // Two windows and what the kernel holds between them.
    expect((await lastTraffic(unread))?.[0]?.bytes_in).toBeLessThan(8_000_000);
  });

  it("is named so many times and no more, and no more often is it recorded", async () => {
    const connecting = await startConnecting({ perl: ["192.0.2.1:1"] });
    const texts = Array.from({ length: 70 }, (_, at) => through(`h${at}.test:443`));
    const said = await connecting.say(...texts);
    expect(statuses(said)).toEqual(texts.map(() => "403"));
    expect(said).toContain("more than 64 hosts");
    expect(hopsOf(await connecting.records())).toHaveLength(64);
    expect(await lastTraffic(connecting)).toHaveLength(64);
  });
});

describe("the relay", () => {
  it("gives a program nothing but what the host grants, whoever speaks in its place", async () => {
    const open = await site();
    const connecting = await startConnecting({ sh: [`127.0.0.1:${open.port}`] });
    // The program is no parent of the relay, but of the same user: it may end it, and ends with it.
    const killed = await connecting.run("sh", "-c", "kill -KILL $PPID; sleep 30");
    expect(killed.result).toMatchObject({ exit_code: 137 });
    // Its descriptor is nothing that a program has, or can open by its name.
    const look = "ls -l /proc/self/fd 2>/dev/null | grep -c socket; cat </proc/$PPID/fd/7 || echo none";
    expect((await connecting.run("sh", "-c", look)).result?.["stdout"]).toBe("0\nnone\n");
  });

  it("leaves no socket and no descriptor behind", async () => {
    const open = await site();
    const here = `127.0.0.1:${open.port}`;
    const connecting = await startConnecting({ perl: [here] });
    await connecting.say(through(here));
    const before = readdirSync("/proc/self/fd").length;
    for (let round = 0; round < 2; round += 1) await connecting.say(through(here), through("10.0.0.1:1"));
    await expect.poll(() => readdirSync("/proc/self/fd").length).toBeLessThanOrEqual(before);
  });
});
