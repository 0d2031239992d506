/** `fs_edit`: replaces a text that occurs exactly once in a file; all other bytes stay as they are. */
import { createHash } from "node:crypto";
import { fstatSync } from "node:fs";
import { FemtoError, LIMITS, printable } from "@femtoclaw/protocol";
import type { Capability, CapabilityCall, CapabilityOutcome } from "../capability.ts";
import { contentAt, valueAt } from "../facts/arguments.ts";
import type { BoundPath, HeldFile } from "../facts/bound-arguments.ts";
import { type Change, changeOutcome } from "../outcome.ts";
import { contentManifest, leftOf } from "./content-change.ts";
import { changed, unexpected } from "./held-place.ts";
import { partsOf, stateOf, versionOf } from "./kept.ts";
import { Pace } from "./pace.ts";
import { PATH_ARGUMENT, requireType, SHA256_ARGUMENT } from "./path-argument.ts";
import { replaceFile } from "./placement.ts";
import { TextSearch } from "./text-search.ts";

/** LIMIT: bytes of an edited file; no source text is larger. */
const FILE_BYTES = 16_777_216;

const manifest = contentManifest({
  name: "fs_edit",
  version: "1.0.0",
  description:
    "Replaces the text `old` in a regular file by `new`. The file has to hold `old` exactly once, byte for byte; else nothing is changed.",
  input: {
    type: "object",
    additionalProperties: false,
    required: ["path", "old", "new"],
    properties: {
      path: PATH_ARGUMENT,
      old: { type: "string", minLength: 1, maxLength: LIMITS.messageBytes },
      new: { type: "string", maxLength: LIMITS.messageBytes },
      sha256: SHA256_ARGUMENT,
    },
  },
  content: "/new",
  result: { bytes: "Bytes that the file has now.", sha256: "Digest of what it holds now." },
});

export const fsEdit: Capability = { manifest, isolation: "host", keeps: "content", execute };

async function execute(call: CapabilityCall): Promise<CapabilityOutcome> {
  return await changeOutcome(call.signal, () => edit(call));
}

async function edit(call: CapabilityCall): Promise<Change> {
  const { args, bound, kept, signal } = call;
  const path = bound.path("/path");
  const target = requireType(path, "file");
  const state = stateOf(fstatSync(target.descriptor, { bigint: true }));
  const pace = new Pace(call);
  const search = new TextSearch(Buffer.from(contentAt(args, "/old"), "utf8"));
  const found = await look(target, search, pace);
  if (found === null) {
    const most = `a file of at most ${FILE_BYTES} bytes is edited`;
    throw new FemtoError("FEMTO_FILE_TOO_LARGE", `${printable(path.path)} is larger: ${most}`, {
      fix: "Change a file of this size with a program.",
    });
  }
  const expected = valueAt(args, "/sha256");
  if (typeof expected === "string" && found.sha256 !== expected) throw unexpected(path, "sha256");
  const place = placeOf(found, search.length, path.path);
  const changing = { path, place, before: found, replacement: Buffer.from(contentAt(args, "/new"), "utf8"), pace };
  const after = new Edited(changing);
  const { placed, state: replaced } = await replaceFile(path, after.pieces(), signal, state);
  const { bytes, sha256 } = after;
  return {
    result: { bytes, sha256 },
    left: leftOf({ sha256, version: versionOf(placed) }, kept, replaced),
  };
}

interface Found {
  readonly bytes: number;
  readonly sha256: string;
  /** Where occurrences of the text end: two of them at most. */
  readonly ends: readonly number[];
}

/**
 * Null if the file is too large. INVARIANT: I9: only one part of the file is in memory at a time, however long it is.
 */
async function look(target: HeldFile, search: TextSearch, pace: Pace): Promise<Found | null> {
  const hash = createHash("sha256");
  const next = search.begin();
  const ends: number[] = [];
  let bytes = 0;
  for await (const part of partsOf(target, { from: 0, to: FILE_BYTES + 1 }, pace)) {
    hash.update(part);
    for (let end = 0; end !== -1 && ends.length < 2; ) {
      end = next(part, end, part.length);
      if (end !== -1) ends.push(bytes + end);
    }
    bytes += part.length;
  }
  return bytes > FILE_BYTES ? null : { bytes, sha256: hash.digest("hex"), ends };
}

interface Place {
  readonly from: number;
  readonly to: number;
}

/** Overlapping occurrences count as two, because the choice between them would be a guess. */
function placeOf({ ends: [end, another] }: Found, length: number, path: string): Place {
  if (end === undefined)
    throw refused(path, "does not contain the text `old`", "Read the file, and give the text exactly as it is there.");
  if (another !== undefined) {
    throw refused(
      path,
      "contains the text `old` more than once",
      "Give more of the surrounding text, so that it occurs only once.",
    );
  }
  return { from: end - length, to: end };
}

interface Changing {
  readonly path: BoundPath;
  readonly place: Place;
  readonly before: Found;
  readonly replacement: Buffer;
  readonly pace: Pace;
}

/** The new content of the file, produced part by part from the old content. */
class Edited {
  bytes = 0;
  readonly #changing: Changing;
  readonly #hash = createHash("sha256");

  constructor(changing: Changing) {
    this.#changing = changing;
  }

  /** Digest of all pieces. */
  get sha256(): string {
    return this.#hash.copy().digest("hex");
  }

  // INVARIANT: the new content is made of exactly what was searched, even if a coarse file clock hides a change in
  // between.
  async *pieces(): AsyncGenerator<Buffer, void, void> {
    const { path, place, before, replacement, pace } = this.#changing;
    const target = requireType(path, "file");
    const seen = createHash("sha256");
    for await (const part of partsOf(target, { from: 0, to: place.from }, pace)) {
      seen.update(part);
      yield this.#told(part);
    }
    for await (const part of partsOf(target, place, pace)) seen.update(part);
    yield this.#told(replacement);
    for await (const part of partsOf(target, { from: place.to, to: FILE_BYTES + 1 }, pace)) {
      seen.update(part);
      yield this.#told(part);
    }
    if (seen.digest("hex") !== before.sha256) throw changed(path);
  }

  #told(piece: Buffer): Buffer {
    this.#hash.update(piece);
    this.bytes += piece.length;
    return piece;
  }
}

const refused = (path: string, what: string, fix: string): FemtoError =>
  new FemtoError("FEMTO_CAPABILITY_FAILED", `${printable(path)} ${what}, so nothing was changed`, { fix });
