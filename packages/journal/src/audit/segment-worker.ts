/**
 * A thread that reports when it is ready and then checks the segments it is sent, answering each in order with its
 * findings.
 */
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
