/**
 * `fs_search`: finds the lines that contain a text, in a file or in all files below a folder. The text is taken
 * literally, so that no proposed pattern can make the host search for ever.
 */
import { fstatSync } from "node:fs";
import { type CapabilityManifest, LIMITS, systemErrorCode } from "@femtoclaw/protocol";
import type { Capability, CapabilityCall, CapabilityOutcome, JsonObject } from "../capability.ts";
import { contentAt } from "../facts/arguments.ts";
import type { HeldFile } from "../facts/bound-arguments.ts";
import { hostOutcome, RESULT_ROOM } from "../outcome.ts";
import { missing } from "./held-place.ts";
import { type Glance, readWhole } from "./kept.ts";
import { PART_BYTES, Pace } from "./pace.ts";
import { PATH_ARGUMENT } from "./path-argument.ts";
import { TextSearch } from "./text-search.ts";
import { WalkBounds, walk } from "./walk.ts";

/** LIMIT: names examined in one call. */
const ENTRIES_MAX = 20_000;
/** LIMIT: bytes of one searched file; a larger one is data rather than text that somebody reads. */
const FILE_BYTES = 4_194_304;
/** LIMIT: bytes read in one call, all files together. */
const READ_BYTES = 268_435_456;
/** LIMIT: lines returned; nobody reads more. */
const MATCHES_MAX = 1_000;
/** LIMIT: bytes returned of the line around a match; minified files have a single line. */
const LINE_BYTES = 400;
/** A NUL among the first bytes of a file shows that it is not text. */
const GLANCE: Glance = { bytes: 8_192, isWanted: (head) => !head.includes(0) };
const NEWLINE = 10;

const manifest: CapabilityManifest = {
  name: "fs_search",
  version: "1.0.0",
  description:
    "Finds the lines that hold a text, in one file or in the files below a folder, as far as policy permits it there. The text is taken literally, with its upper and lower case. Links are not followed, and files that are no text are skipped.",
  input: {
    type: "object",
    additionalProperties: false,
    required: ["path", "pattern"],
    properties: {
      path: PATH_ARGUMENT,
      pattern: {
        type: "string",
        minLength: 1,
        maxLength: 1_024,
        pattern: "^[^\\r\\n]*$",
        description: "Text within one line; no regular expression.",
      },
    },
  },
  output: {
    type: "object",
    additionalProperties: false,
    required: ["matches", "files", "skipped", "truncated"],
    properties: {
      matches: {
        type: "array",
        maxItems: MATCHES_MAX,
        items: {
          type: "object",
          additionalProperties: false,
          required: ["name", "line", "text"],
          properties: {
            name: { type: "string", description: "From the folder that was searched; empty for the file itself." },
            line: { type: "integer", minimum: 1 },
            text: { type: "string", description: "The line, or the part of it around the place." },
          },
        },
      },
      files: { type: "integer", minimum: 0, description: "Files that were searched." },
      skipped: { type: "integer", minimum: 0, description: "Files that are no text, too large, or not to be read." },
      truncated: { type: "boolean", description: "There is more than was searched or is given back." },
    },
  },
  arguments: [{ pointer: "/path", kind: "path", access: "read", recursive: true }],
  effect: "read",
  idempotent: true,
  limits: { timeout_ms: LIMITS.timeoutCeilingMs, output_bytes: LIMITS.outputCeilingBytes },
};

export const fsSearch: Capability = { manifest, isolation: "host", execute };

async function execute(call: CapabilityCall): Promise<CapabilityOutcome> {
  return await hostOutcome(call.signal, () => search(call));
}

async function search(call: CapabilityCall): Promise<JsonObject> {
  const path = call.bound.path("/path");
  if (path.target === null) throw missing(path);
  const finder = new Finder(contentAt(call.args, "/pattern"), call);
  if (path.type === "file") {
    await finder.look("", path.target);
    return finder.result({ isCut: false });
  }
  const bounds = new WalkBounds(ENTRIES_MAX);
  for await (const { name, type, found, descriptor } of walk(
    { descriptor: path.target.descriptor, path: path.path },
    call,
    bounds,
  )) {
    if (type !== "file") continue;
    await finder.look(name, descriptor === null ? null : { descriptor, device: found.dev, inode: found.ino });
    if (finder.isFull) break;
  }
  return finder.result({ isCut: bounds.isCut || bounds.isBlind });
}

/** Collects the matches of one text, up to all limits. */
class Finder {
  readonly #search: TextSearch;
  readonly #pace: Pace;
  readonly #matches: { name: string; line: number; text: string }[] = [];
  #outputLeft: number;
  #readLeft = READ_BYTES;
  #files = 0;
  #skipped = 0;
  isFull = false;

  constructor(pattern: string, call: CapabilityCall) {
    this.#search = new TextSearch(Buffer.from(pattern, "utf8"));
    this.#pace = new Pace(call);
    this.#outputLeft = Math.min(call.limits.outputBytes, RESULT_ROOM);
  }

  async look(name: string, file: HeldFile | null): Promise<void> {
    const content = file === null ? null : await readText(file);
    // INVARIANT: I9: what is skipped counts too, because an agent may have made any number of such files.
    this.#readLeft -= content?.length ?? GLANCE.bytes;
    if (content === null) this.#skipped += 1;
    else {
      this.#files += 1;
      await this.#find(name, content);
    }
    if (this.#readLeft <= 0) this.isFull = true;
  }

  result({ isCut }: { readonly isCut: boolean }): JsonObject {
    const truncated = isCut || this.isFull;
    return { matches: this.#matches, files: this.#files, skipped: this.#skipped, truncated };
  }

  async #find(name: string, content: Buffer): Promise<void> {
    let line = 1;
    let start = 0;
    for (let at = await this.#indexIn(content, 0); at !== -1; ) {
      const counted = await this.#linesIn(content, start, at);
      line += counted.lines;
      ({ start } = counted);
      const next = content.indexOf(NEWLINE, at);
      const end = next === -1 ? content.length : next;
      if (!this.#add({ name, line, text: lineAround(content, start, end, at) })) return;
      // One line is one match, however often it contains the text.
      at = next === -1 ? -1 : await this.#indexIn(content, next + 1);
    }
  }

  /** Counts the lines that end between two places, and finds where the line at the second place begins. */
  async #linesIn(content: Buffer, from: number, to: number): Promise<{ lines: number; start: number }> {
    let lines = 0;
    let start = from;
    for (let part = from; part < to; part += PART_BYTES) {
      const end = Math.min(part + PART_BYTES, to);
      for (let at = part; at < end; at += 1) {
        if (content[at] !== NEWLINE) continue;
        lines += 1;
        start = at + 1;
      }
      await this.#pace.looked(end - part);
    }
    return { lines, start };
  }

  #indexIn(content: Buffer, from: number): Promise<number> {
    return this.#search.indexIn(content, from, this.#pace);
  }

  #add(match: { name: string; line: number; text: string }): boolean {
    this.#outputLeft -= Buffer.byteLength(JSON.stringify(match)) + 1;
    this.isFull = this.#matches.length === MATCHES_MAX || this.#outputLeft < 0;
    if (!this.isFull) this.#matches.push(match);
    return !this.isFull;
  }
}

function lineAround(content: Buffer, start: number, end: number, at: number): string {
  const from = Math.max(start, Math.min(at - LINE_BYTES / 4, end - LINE_BYTES));
  return content
    .subarray(from, Math.min(end, from + LINE_BYTES))
    .toString("utf8")
    .replace(/\r$/, "");
}

/** Null if the file is not text, is too large, or may not be read by the host. */
async function readText(file: HeldFile): Promise<Buffer | null> {
  try {
    // A file that says itself that it is too large is not read to find out.
    const { size } = fstatSync(file.descriptor, { bigint: true });
    return size > FILE_BYTES ? null : await readWhole(file, FILE_BYTES, GLANCE);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return null;
  }
}
