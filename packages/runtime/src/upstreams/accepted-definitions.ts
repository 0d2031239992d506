/**
 * The definitions that were accepted of one MCP server, kept in the state directory so that an operator can see what
 * changed. They prove nothing by themselves: a definition counts only if its digest is the one that the journal pins.
 */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { digestsDefinition } from "@femtoclaw/capabilities";
import { replaceFile } from "@femtoclaw/journal/live";
import {
  type ComparedUpstream,
  errorText,
  LIMITS,
  parseJson,
  systemErrorCode,
  type UpstreamView,
} from "@femtoclaw/protocol";
import type { ToolPins } from "../projection/upstream-pins.ts";
import { changedMembers, type Listed } from "./offer.ts";
import type { UpstreamsParts } from "./upstreams-parts.ts";

const FOLDER = "accepted";
const NONE: DefinitionTexts = new Map();
/** LIMIT: bytes of one file: every pin with the largest definition, as JSON in JSON. */
const FILE_BYTES_MAX = 2 * LIMITS.upstreamPins * LIMITS.upstreamDefinitionBytes;

/** Definitions as they were digested, by the names in pins. */
type DefinitionTexts = ReadonlyMap<string, string>;

/** Null or undefined as long as nothing of the server is accepted. */
type Pins = ToolPins | null | undefined;

export class AcceptedDefinitions {
  readonly #server: string;
  readonly #folder: string;
  readonly #log: UpstreamsParts["log"];

  constructor(server: string, { configuration, log }: Pick<UpstreamsParts, "configuration" | "log">) {
    this.#server = server;
    this.#folder = join(configuration.stateDirectory, FOLDER);
    this.#log = log;
  }

  /** Adds what changed of each tool. */
  async compared(view: UpstreamView, pins: Pins, listed: Listed): Promise<ComparedUpstream> {
    const present = textsOf(listed);
    const accepted = view.tools.some(({ state }) => state === "changed") ? await this.#read(pins) : NONE;
    const tools = view.tools.map((tool) => {
      const [before, after] = [accepted.get(tool.name), present.get(tool.name)];
      const isKnown = tool.state === "changed" && before !== undefined && after !== undefined;
      return { ...tool, changes: isKnown ? changedMembers(before, after) : null };
    });
    return { ...view, tools };
  }

  /**
   * Stores the listed definitions that are pinned as they are, beside those stored before that are still pinned. A fault
   * is only logged: without this file an operator sees less, but what is offered does not depend on it.
   */
  async keep(pins: Pins, listed: Listed): Promise<void> {
    const kept = await this.#read(pins);
    const missing = [...textsOf(listed)].filter(([name, text]) => !kept.has(name) && isPinned(pins, name, text));
    if (missing.length === 0) return;
    try {
      await replaceFile(this.#folder, this.#name, `${JSON.stringify([...kept, ...missing])}\n`);
    } catch (error) {
      this.#tell("upstream.definitions_unwritten", error);
    }
  }

  get #name(): string {
    return `${this.#server}.json`;
  }

  async #read(pins: Pins): Promise<DefinitionTexts> {
    try {
      const kept = pairs(await this.#text());
      return new Map(kept.filter(([name, text]) => isPinned(pins, name, text)));
    } catch (error) {
      this.#tell("upstream.definitions_unread", error);
      return NONE;
    }
  }

  #tell(event: string, error: unknown): void {
    this.#log({ level: "warn", event, server: this.#server, reason: errorText(error) });
  }

  /** The file's text; empty if there is no such file yet. */
  async #text(): Promise<string> {
    try {
      const path = join(this.#folder, this.#name);
      await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      const { size } = await file.stat();
      return size > FILE_BYTES_MAX ? "" : await file.readFile("utf8");
    } catch (error) {
      if (systemErrorCode(error) === "ENOENT") return "";
      throw error;
    }
  }
}

/** Everything that is listed and could be accepted. */
function textsOf({ definitions, contents }: Listed): DefinitionTexts {
  const all = [...definitions, ...contents.map((content) => ({ ...content, name: content.pin }))];
  return new Map(all.flatMap(({ name, text, problem }) => (problem === null ? [[name, text] as const] : [])));
}

function isPinned(pins: Pins, name: string, text: string): boolean {
  return Object.hasOwn(pins ?? {}, name) && digestsDefinition(pins?.[name] ?? "", text);
}

/** Empty if the file holds anything other than what is written there; the file is then written again. */
function pairs(text: string): (readonly [name: string, text: string])[] {
  try {
    const all = parseJson(text) as readonly unknown[];
    return all.flatMap((one) => {
      const [name, definition] = one as readonly unknown[];
      return typeof name === "string" && typeof definition === "string" ? [[name, definition] as const] : [];
    });
  } catch {
    return [];
  }
}
