/** A host with a history worth looking at, and the page that shows it. */
import { exportedPage } from "@femtoclaw/inspector";
import { TilesReader } from "@femtoclaw/journal";
import type { TypedRecord } from "@femtoclaw/protocol";
import { Playground } from "../playground.ts";

const CONFIGURATION = `workspace = "."
[capabilities]
process_exec = true
fs_read = true
fs_write = true
fs_list = false
[allow]
read = ["."]
write = ["out"]
run = { echo = ["*"], cat = ["*"] }
[ask]
run = { date = ["*"], touch = ["*"] }
[deny]
read = ["secrets"]
[memory]
path = "../state"
[host]
runtime_dir = "../run"
`;

/** What a page might take for markup, for a terminal, or for text that reads the other way. */
const HOSTILE = `<img src=x onerror=alert(1)></script><script>alert(2)</script>\u202egnp.exe\u0007\u001b[2J`;

export interface Inspected {
  readonly url: string;
  readonly origin: string;
  end(): void;
}

export class InspectedWorld extends Playground {
  constructor() {
    super(CONFIGURATION);
  }

  /** Calls of every kind: done, denied, failed, recorded, waiting; some that would like to be markup. */
  async live(): Promise<void> {
    await using client = await this.agent();
    const say = (message: unknown) => client.propose(Buffer.from(JSON.stringify(message)));
    const call = (tool: string, args: object) => say({ tool_call: { tool, args } });
    await say({ message: { content: `I will look around. ${HOSTILE}` } });
    for (const round of [1, 2]) {
      await call("process_exec", { bin: "echo", argv: ["hello", HOSTILE.replaceAll(/[\u0007\u001b]/g, "")] });
      await call("fs_write", { path: `out/note-${round}`, content: "milk\nbread\n", mode: "create" });
      await call("fs_read", { path: "secrets/token.txt" });
      await call("process_exec", { bin: "sh", argv: ["-c", "id"] });
      await call("fs_list", { path: "." });
      await call(HOSTILE, {});
    }
    this.write("p/large.txt", `${"x".repeat(999)}\n`.repeat(1_000));
    await call("fs_read", { path: "large.txt" });
    await call("fs_read", { path: HOSTILE });
    await client.propose(Buffer.from('{"message":{},"tool_call":{}}'));
    await call("process_exec", { bin: "date", argv: ["+%Y"] });
    await call("process_exec", { bin: "touch", argv: ["out/a plan"] });
  }

  async inspect(...args: string[]): Promise<Inspected> {
    const child = this.spawn(["--json", "inspect", ...args]);
    const line = await new Promise<string>((resolve) => child.stdout.once("data", (data) => resolve(String(data))));
    const { url } = JSON.parse(line) as { url: string };
    return { url, origin: new URL(url).origin, end: () => child.kill("SIGINT") };
  }

  /** A file with these records, as if a verification had found this. */
  page(name: string, records: readonly TypedRecord[], found = "verified"): string {
    const { length: size } = records;
    const verdict = { verdict: found, size, signedSize: size, root: "", caveats: [] };
    const beginning = { mode: "file", log: name, version: "", approve: false, summary: null, verdict } as const;
    return this.write(`${name}.html`, exportedPage({ beginning, records, explanations: {} }));
  }

  async exported(): Promise<{ readonly folder: string; readonly records: readonly TypedRecord[] }> {
    const folder = `${this.root}/tiles-${crypto.randomUUID()}`;
    await this.run(["audit", "export", "--format", "tiles", "--out", folder]);
    await using reader = await TilesReader.open(folder);
    const records: TypedRecord[] = [];
    for await (const record of reader.read(0, reader.size)) records.push(record);
    return { folder, records };
  }
}

/** The same call again and again, in records that follow on from the first ones. */
export function multiplied(records: readonly TypedRecord[], count: number): TypedRecord[] {
  const first = records.findIndex(({ type }) => type === "execution.intent");
  const [intent, outcome] = [records[first], records[first + 1]];
  if (intent?.type !== "execution.intent" || outcome?.type !== "execution.outcome") throw new Error("no call was made");
  const many = records.slice(0, first).filter(({ execution }) => execution === null);
  many.splice(0, many.length, ...many.map((record, seq) => ({ ...record, seq }) as TypedRecord));
  for (let index = 0; index < count; index += 1) {
    const seq = many.length;
    const execution = `${String(index).padStart(8, "0")}-0000-4000-8000-000000000000`;
    many.push({ ...intent, seq, execution });
    many.push({ ...outcome, seq: seq + 1, execution, body: { ...outcome.body, intent: seq } });
  }
  return many;
}
