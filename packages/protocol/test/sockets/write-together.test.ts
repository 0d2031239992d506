import { once } from "node:events";
import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { writeTogether } from "../../src/index.ts";

/** Keeps what left it, call by call. */
class Calls extends Writable {
  readonly calls: string[] = [];

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.calls.push(chunk.toString());
    done();
  }

  override _writev(chunks: { readonly chunk: Buffer }[], done: () => void): void {
    this.calls.push(chunks.map(({ chunk }) => chunk.toString()).join(""));
    done();
  }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe("lines that are written together", () => {
  it("leave in one call for each turn of the loop, also those that answers of the turn led to", async () => {
    const stream = new Calls();
    writeTogether(stream, "a\n");
    writeTogether(stream, "b\n");
    await Promise.resolve();
    writeTogether(stream, "c\n");
    await nextTurn();
    expect(stream.calls).toEqual(["a\nb\nc\n"]);
    writeTogether(stream, "d\n");
    await nextTurn();
    expect(stream.calls).toEqual(["a\nb\nc\n", "d\n"]);
  });

  it("leave before an end that comes in the same turn", async () => {
    const stream = new Calls();
    writeTogether(stream, "a\n");
    writeTogether(stream, "b\n");
    stream.end();
    await once(stream, "finish");
    expect(stream.calls.join("")).toBe("a\nb\n");
  });

  it("count as waiting as soon as they are written", () => {
    const stream = new Calls();
    writeTogether(stream, "abc\n");
    expect(stream.writableLength).toBe(4);
  });
});
