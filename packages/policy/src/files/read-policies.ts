/**
 * Turns the bytes of Cedar files into rules, or into findings with their places. This runs where the engine may trap or
 * take long without harm, because nothing has checked its input before.
 */
import assert from "node:assert/strict";
import { errorText, printable } from "@femtoclaw/protocol";
import { LOOK_ALIKE } from "../engine/activation.ts";
import type { Cedar } from "../engine/cedar-instance.ts";
import { type PolicyAction, schemaText } from "../schema.ts";
import { literal } from "../tables/cedar-text.ts";
import type { LintFinding } from "../tables/lint.ts";
import { annotationFindings, annotationsOf } from "./annotations.ts";
import { cutPolicies, type Statement } from "./cut.ts";
import { entitiesOf, type ParsedPolicy } from "./expression.ts";
import { FilePlaces } from "./file-places.ts";
import {
  type FileRule,
  type NamedEntity,
  type PolicyFile,
  type PolicyReading,
  type ProgramOpening,
  REAL_FILE,
  type WrittenPath,
} from "./file-rule.ts";
import {
  approvalFindings,
  breadthFindings,
  forbiddenPaths,
  isUnsafe,
  limitsArguments,
  namedFiles,
  writtenPaths,
} from "./lint-breadth.ts";
import { shapeFindings } from "./lint-shape.ts";

/** LIMIT: bytes of all files together; a policy that nobody can read protects nobody. */
const FILES_BYTES_MAX = 1_048_576;
/** LIMIT: policies of all files; the engine looks at each of them in every decision, at some 2 us each. */
const POLICIES_MAX = 1_000;

const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*(?:\/[A-Za-z0-9][A-Za-z0-9._-]*)*\.cedar$/;

export function readPolicies(
  cedar: Cedar,
  files: readonly PolicyFile[],
  actions: readonly PolicyAction[],
): PolicyReading {
  const reader = new Reader(cedar, actions);
  if (files.reduce((sum, { bytes }) => sum + bytes.length, 0) > FILES_BYTES_MAX) {
    reader.note(reader.at, `the files are together larger than ${FILES_BYTES_MAX} bytes`);
    return reader;
  }
  try {
    for (const file of files) reader.read(file);
    reader.validate();
  } catch (error) {
    // INVARIANT: an instance that trapped answers nothing any more, so the remaining policies stay unread.
    reader.note(
      reader.at,
      `the decision engine cannot take this policy (${printable(errorText(error))}); make it smaller`,
    );
  }
  return reader;
}

/** A parsed policy, with the means to name places in its file. */
interface Parsed {
  readonly id: string;
  readonly places: FilePlaces;
  readonly statement: Statement;
}

class Reader implements PolicyReading {
  readonly rules: FileRule[] = [];
  readonly names: NamedEntity[] = [];
  readonly written: WrittenPath[] = [];
  readonly findings: LintFinding[] = [];
  readonly warnings: LintFinding[] = [];
  /** The place that is being read. */
  at = "policy";
  readonly #cedar: Cedar;
  readonly #actions: readonly PolicyAction[];
  readonly #parsed: Parsed[] = [];

  constructor(cedar: Cedar, actions: readonly PolicyAction[]) {
    this.#cedar = cedar;
    this.#actions = actions;
  }

  note(source: string, message: string): void {
    this.findings.push({ source, message });
  }

  read({ name, bytes, readFrom = name }: PolicyFile): void {
    const file = `policy/${printable(readFrom)}`;
    this.at = `${file}:1:1`;
    if (!FILE_NAME.test(name)) return this.note(this.at, "names of policy files are letters, digits, `.`, `_` and `-`");
    const cut = cutPolicies(bytes);
    if (!cut.ok) return this.note(`${file}:${cut.place.line}:${cut.place.column}`, cut.message);
    if (this.#parsed.length + cut.statements.length > POLICIES_MAX) {
      return this.note(this.at, `there are more than ${POLICIES_MAX} policies; write lists instead of single values`);
    }
    const before = this.findings.length;
    const places = new FilePlaces(file, cut.text);
    for (const statement of cut.statements) this.#readStatement(name, places, statement);
    if (this.findings.length === before) this.#compare(cut.text, cut.statements.length);
  }

  /** If Cedar cuts the file differently, the two readers do not read the same rules. */
  #compare(text: string, count: number): void {
    const parts = this.#cedar.policySetTextToParts(text);
    if (parts.type === "success" && parts.policies.length === count && parts.policy_templates.length === 0) return;
    this.note(this.at, "the file cannot be cut into policies without doubt");
  }

  #readStatement(name: string, places: FilePlaces, statement: Statement): void {
    const source = places.at(statement.offset);
    this.at = source;
    const policy = this.#parse(places, statement);
    if (policy === null) return;
    const placed = annotationFindings(policy);
    for (const { name: annotation, message } of placed) {
      this.note(places.at(annotationOffset(statement, annotation)), message);
    }
    if (placed.length > 0) return;
    const { id: ownId, reason, ...about } = annotationsOf(policy);
    const id = `file/${name.slice(0, -".cedar".length)}/${ownId}`;
    const other = this.#parsed.find((parsed) => parsed.id === id);
    if (other !== undefined) {
      return this.note(source, `@id("${ownId}") stands at ${other.places.at(other.statement.offset)} already`);
    }
    const shape = shapeFindings(policy);
    // A policy that is too large is not validated: the engine would trap on it, and everything else would stay unread.
    if (shape.length === 0) this.#parsed.push({ id, places, statement });
    const further = shape.length > 0 ? shape : [...breadthFindings(policy, this.#actions), ...approvalFindings(policy)];
    for (const message of further) this.note(source, message);
    if (further.length > 0) return;
    this.#nameEntities(policy, places, statement);
    this.written.push(...writtenPaths(policy, this.#actions).map((path) => ({ source, path })));
    const verb = about.approvers === undefined ? `${policy.effect}s` : "asks for";
    this.rules.push({
      id,
      text: statement.text,
      source,
      reason: reason ?? `the policy ${ownId} of ${places.file} ${verb} this`,
      ...about,
      paths: entitiesOf(policy).flatMap((entity) => (entity.type === "Path" ? [entity.id] : [])),
      ...this.#fence(policy, source),
    });
  }

  #fence(policy: ParsedPolicy, source: string): Pick<FileRule, "hidden" | "kept"> {
    const { hidden, kept, missesPrograms } = forbiddenPaths(policy, this.#actions);
    const message =
      "this forbids file tools something and names no path for all of it, so programs are not bound by it; [deny] binds both";
    if (missesPrograms) this.warnings.push({ source, message });
    return { hidden, kept };
  }

  /**
   * Parses the policy as it was written, for the places of mistakes, and as it will be enforced. Both must mean the
   * same.
   */
  #parse(places: FilePlaces, statement: Statement): ParsedPolicy | null {
    const written = this.#cedar.policyToJson(statement.raw);
    if (written.type === "failure") {
      for (const { message, sourceLocations = [] } of written.errors) {
        const offset = sourceLocations[0] === undefined ? 0 : characters(statement.raw, sourceLocations[0].start);
        this.note(places.at(statement.offset + offset), plain(message));
      }
      return null;
    }
    const compiled = this.#cedar.policyToJson(statement.text);
    assert.deepEqual(compiled, written, "a policy means the same without comments and in ASCII");
    return written.json as unknown as ParsedPolicy;
  }

  #nameEntities(policy: ParsedPolicy, places: FilePlaces, statement: Statement): void {
    const opens = policy.effect === "forbid" ? null : openingOf(policy);
    const files = opens === null ? [] : namedFiles(policy).map((id) => ({ type: REAL_FILE, id }));
    const entities = entitiesOf(policy);
    const written = new Map(statement.tokens.map((token) => [token.text, token.offset]));
    for (const { type, id } of [...entities, ...files]) {
      const source = places.at(written.get(literal(id)) ?? statement.offset);
      this.names.push({ source, type, id, opens: type === "Program" || type === REAL_FILE ? opens : null });
    }
  }

  /** Validates all policies at once, because the engine parses the schema anew each time. */
  validate(): void {
    this.at = "policy";
    if (this.#parsed.length === 0) return;
    const byId = new Map(this.#parsed.map((parsed) => [parsed.id, parsed]));
    const staticPolicies = Object.fromEntries(this.#parsed.map(({ id, statement }) => [id, statement.raw]));
    const answer = this.#cedar.validate({
      validationSettings: { mode: "strict" },
      schema: schemaText(this.#actions),
      policies: { staticPolicies },
    });
    if (answer.type === "failure") {
      for (const { message } of answer.errors) this.note("policy", plain(message));
      return;
    }
    for (const { policyId, error } of [...answer.validationErrors, ...answer.validationWarnings]) {
      const parsed = byId.get(policyId);
      if (parsed === undefined || LOOK_ALIKE.test(error.message)) continue;
      const { raw, offset } = parsed.statement;
      const at = offset + characters(raw, error.sourceLocations?.[0]?.start ?? 0);
      const help = error.help === null || error.help === undefined ? "" : `; ${error.help}`;
      this.note(parsed.places.at(at), plain(`${error.message}${help}`));
    }
  }
}

function openingOf(policy: ParsedPolicy): ProgramOpening {
  if (isUnsafe(policy)) return "unsafe";
  return limitsArguments(policy) ? "limited" : "any";
}

/** Converts an offset of the engine, which counts bytes, to characters. */
function characters(text: string, bytes: number): number {
  return Buffer.from(text).subarray(0, bytes).toString().length;
}

function annotationOffset({ tokens, offset }: Statement, name: string | null): number {
  const at = tokens.findIndex((token, index) => token.text === "@" && tokens[index + 1]?.text === name);
  return tokens[at]?.offset ?? offset;
}

/** The message on one line, without the identifiers that were made up for the engine. */
function plain(message: string): string {
  const text = message.replace(/^failed to parse policy from string: /, "").replace(/^for policy `[^`]*`, /, "");
  return printable(text, 500);
}
