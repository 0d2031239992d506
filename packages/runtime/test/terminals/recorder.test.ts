import { describe, expect, it } from "vitest";
import { Recorder, type TerminalRecordedEntry } from "../../src/terminals/recorder.ts";

/** A recorder on a clock that stands until it is moved on. */
class Place {
  readonly entries: TerminalRecordedEntry[] = [];
  hasRoom = true;
  #nowUs = 0;
  #due: { readonly atUs: number; readonly act: () => void }[] = [];
  readonly recorder: Recorder;

  constructor(recordsInput = false) {
    this.recorder = new Recorder({
      clock: {
        monotonicUs: () => this.#nowUs,
        after: (ms, act) => {
          const due = { atUs: this.#nowUs + ms * 1_000, act };
          this.#due.push(due);
          return () => {
            this.#due = this.#due.filter((one) => one !== due);
          };
        },
      },
      terminal: "t",
      recordsInput,
      hasRoom: () => this.hasRoom,
      entry: (entry) => this.entries.push(entry),
    });
  }

  pass(ms: number): void {
    this.#nowUs += ms * 1_000;
    const due = this.#due.filter(({ atUs }) => atUs <= this.#nowUs);
    this.#due = this.#due.filter((one) => !due.includes(one));
    for (const { act } of due) act();
  }

  get text(): string {
    return this.entries.map(({ body }) => body.text).join("");
  }

  get parts(): (readonly [kind: string, atMs: number, text: string])[] {
    return this.entries.flatMap(({ body }) => {
      let from = 0;
      return body.marks.map(({ kind, after_us, chars }) => {
        const text = (body.text ?? "").slice(from, from + chars);
        from += chars;
        return [kind, (body.at_us + after_us) / 1_000, text] as const;
      });
    });
  }
}

describe("a recorder", () => {
  it("keeps what came, when it came and in which order", () => {
    const place = new Place(true);
    place.recorder.output("one\n");
    place.pass(100);
    place.recorder.size({ cols: 10, rows: 5 });
    place.recorder.size({ cols: 11, rows: 5 });
    place.pass(100);
    place.recorder.input("typed\r");
    place.recorder.output("two\n");
    place.pass(2_000);
    place.recorder.end();
    expect(place.parts).toEqual([
      ["output", 0, "one\n"],
      ["size", 100, "10x5"],
      ["size", 100, "11x5"],
      ["input", 200, "typed\r"],
      ["output", 200, "two\n"],
    ]);
  });

  it("sees a secret whole that comes in pieces across records and sizes", () => {
    const place = new Place();
    for (const piece of ["key AKIA", "ABCDEFGH", "IJKLMNOP"]) {
      place.recorder.output(piece);
      place.pass(600);
    }
    place.recorder.size({ cols: 10, rows: 5 });
    place.recorder.output("\nnext\n");
    place.pass(2_000);
    place.recorder.end();
    expect(place.text).toContain("[redacted:aws-key]");
    expect(place.text).not.toMatch(/ABCDEFGH|IJKLMNOP/);
    expect(place.entries.flatMap(({ redacted }) => redacted ?? [])).toContainEqual({ path: "/text", rule: "aws-key" });
  });

  it("sees a key of several lines whole", () => {
    const place = new Place();
    place.recorder.output("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1r\n");
    place.pass(1_000);
    place.recorder.output("ZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----\nafter\n");
    place.recorder.end();
    expect(place.text).not.toMatch(/b3Blb|ZXktd/);
    expect(place.text).toContain("after\n");
  });

  it("writes a line that is never ended, and counts what there was no room for", () => {
    const place = new Place();
    place.recorder.output("prompt> ");
    place.pass(1_000);
    place.pass(1_000);
    expect(place.text).toBe("prompt> ");
    place.hasRoom = false;
    place.recorder.output("lost");
    place.recorder.end();
    expect(place.text).toBe("prompt> ");
    expect(place.recorder.unrecorded).toBe(4);
  });

  it("splits a flood into records of a bounded size and number of parts", () => {
    const place = new Place();
    place.recorder.output("a line that never ends");
    for (let n = 0; n < 400; n += 1) place.recorder.size({ cols: n + 1, rows: 1 });
    place.recorder.output("x".repeat(500_000));
    place.recorder.output("y".repeat(10));
    place.recorder.end();
    for (const { body } of place.entries) expect(body.marks.length).toBeLessThanOrEqual(256);
    const shown = place.parts.filter(([kind]) => kind === "output").map(([, , text]) => text);
    expect(shown.join("")).toHaveLength(500_032);
    expect(place.parts.filter(([kind]) => kind === "size")).toHaveLength(400);
  });
});
