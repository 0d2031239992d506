/**
 * Writes all lines of one turn of the event loop with one system call, because a call costs writer and reader more than
 * a line does. Lines written before the stream is ended are sent before its end.
 */
import type { Writable } from "node:stream";

export function writeTogether(stream: Writable, line: string): void {
  if (stream.writableCorked === 0) {
    stream.cork();
    process.nextTick(() => stream.uncork());
  }
  stream.write(line);
}
