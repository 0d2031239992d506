/** A thread that says when it is ready, checks the segments that it is sent, in order, and answers each with what it found. */
import assert from "node:assert/strict";
import { parentPort } from "node:worker_threads";
import { checkSegment, type Segment, type SegmentFindings } from "./segment.ts";

export type ThreadNews = "ready" | SegmentFindings;

const port = parentPort;
assert(port !== null, "this file is the beginning of a worker thread");
port.on("message", (segment: Segment) => {
  const findings = checkSegment(segment);
  port.postMessage(findings satisfies ThreadNews, [findings.nodes.buffer]);
});
port.postMessage("ready" satisfies ThreadNews);
