/**
 * The facts that the policy is asked about in a test. Programs are examined as in a call. A path that an agent may
 * write to is not looked up but taken as stated: files left there by an agent must not decide whether the host starts.
 */
import { resolve } from "node:path";
import { HostNames, type JsonObject, ProgramDigests, takeFacts } from "@femtoclaw/capabilities";
import {
  type Authority,
  type CapabilityManifest,
  type Facts,
  isWithin,
  type PathQuestion,
  pointerTokens,
  printable,
} from "@femtoclaw/protocol";
import { machineNames } from "@femtoclaw/runtime/machine-names";
import type { PolicyTest } from "./policy-test.ts";

export type TestFacts =
  | { readonly ok: true; readonly questions: Facts["questions"] }
  | { readonly ok: false; readonly reason: string };

export class TestFactsTaker {
  readonly #authority: Authority;
  readonly #digests = new ProgramDigests();

  constructor(authority: Authority) {
    this.#authority = authority;
  }

  async take(manifest: CapabilityManifest, { args, facts }: PolicyTest): Promise<TestFacts> {
    const taken = await this.#questions(manifest, args);
    if (!taken.ok) return taken;
    const questions = taken.questions.map((question) => ({ ...question, ...facts, kind: question.kind }));
    return { ok: true, questions: questions as unknown as Facts["questions"] };
  }

  async #questions(manifest: CapabilityManifest, args: JsonObject): Promise<TestFacts> {
    const paths = manifest.arguments.flatMap((declared) => (declared.kind === "path" ? [declared] : []));
    if (paths.length === 0) return await this.#examined(manifest, args);
    const bytes = sizeOf(manifest, args);
    const questions: PathQuestion[] = [];
    for (const { pointer, access, recursive } of paths) {
      const text = textAt(args, pointer);
      if (text === null) return { ok: false, reason: `the argument ${pointer} is not a text` };
      const found = this.#place(text);
      if ("problem" in found) return { ok: false, reason: found.problem };
      const isFolder = STATED[access].type === "directory";
      questions.push({
        kind: "path",
        path: found.path,
        ...STATED[access],
        bytes: access === "create" ? bytes : 0,
        ...(isFolder && (recursive === true || isTrueAt(args, recursive)) ? { recursive: true } : {}),
      });
    }
    return { ok: true, questions: questions as Facts["questions"] };
  }

  /** Facts of programs, of hosts, or of a capability that names nothing, taken as in any call. */
  async #examined(manifest: CapabilityManifest, args: JsonObject): Promise<TestFacts> {
    const authority = this.#authority;
    const taken = await takeFacts({
      manifest,
      args,
      authority,
      sandbox: null,
      digests: this.#digests,
      names: STATED_NAMES,
    });
    if (!taken.ok) return taken;
    await using _ = taken.bound;
    return { ok: true, questions: taken.facts.questions };
  }

  #place(text: string): { readonly path: string } | { readonly problem: string } {
    const { workspace, searchPath, allow, ask } = this.#authority;
    if (text === "" || text.includes("\0")) return { problem: `"${printable(text)}" is no path` };
    const path = resolve(workspace, text);
    const writable = [...allow.write, ...ask.write].some((grant) => isWithin(path, grant.path));
    if (writable) return { path };
    const found = machineNames(searchPath).path(path);
    return "problem" in found ? found : { path: found.canonical };
  }
}

/** A test asks no resolver: those who answer for a name must not decide whether the host starts. */
const STATED_NAMES = new HostNames(async () => ["1.1.1.1"]);

/** A test's defaults for a path, by what the call would do with it. */
const STATED = {
  read: { exists: true, type: "file" },
  list: { exists: true, type: "directory" },
  create: { exists: false, type: "missing" },
} as const satisfies Record<string, Pick<PathQuestion, "exists" | "type">>;

function sizeOf(manifest: CapabilityManifest, args: JsonObject): number {
  return manifest.arguments
    .filter(({ kind }) => kind === "size")
    .reduce((sum, { pointer }) => sum + Buffer.byteLength(textAt(args, pointer) ?? "", encodingOf(args)), 0);
}

function encodingOf({ encoding }: JsonObject): "base64" | "utf8" {
  return encoding === "base64" ? "base64" : "utf8";
}

function textAt(args: JsonObject, pointer: string): string | null {
  const value = valueAt(args, pointer);
  return typeof value === "string" ? value : null;
}

function isTrueAt(args: JsonObject, pointer: string | undefined): boolean {
  return pointer !== undefined && valueAt(args, pointer) === true;
}

function valueAt(args: JsonObject, pointer: string): unknown {
  return pointerTokens(pointer).reduce<unknown>(
    (at, token) => (typeof at === "object" && at !== null ? (at as JsonObject)[token] : undefined),
    args,
  );
}
