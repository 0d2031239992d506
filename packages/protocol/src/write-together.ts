/**
 * Lines of one turn of the event loop leave a stream in one call of the system: each call costs the writer and the
 * reader more than a line does. What is written before the stream is ended leaves before its end.
 */
import type { Writable } from "node:stream";

export function writeTogether(stream: Writable, line: string): void {
  if (stream.writableCorked === 0) {
    stream.cork();
    process.nextTick(() => stream.uncork());
  }
  stream.write(line);
}
