/**
 * Turns the declared arguments of a call into facts. This is trusted code that follows the manifest and never asks the
 * capability that wants permission. What it resolves stays open for the effect.
 */
import type {
  Authority,
  CapabilityManifest,
  DeclaredArgument,
  DeclaredPath,
  DeclaredProgram,
  FactQuestion,
  Facts,
  ProgramQuestion,
} from "@femtoclaw/protocol";
import { LIMITS, printable } from "@femtoclaw/protocol";
import type { SandboxView } from "@femtoclaw/sandbox";
import type { JsonObject } from "../capability.ts";
import { contentBytes } from "../files/content.ts";
import { textAt, valueAt } from "./arguments.ts";
import { type BoundArgument, BoundArguments, type BoundTerminal } from "./bound-arguments.ts";
import { resolveHost } from "./host.ts";
import { HostNames } from "./host-names.ts";
import { resolveMcpTool } from "./mcp-tool.ts";
import {
  type ResolvedPath,
  requireHeldPaths,
  resolveCreatable,
  resolveCreatableFolders,
  resolveExisting,
} from "./path.ts";
import { resolveProgram } from "./program.ts";
import type { ProgramDigests } from "./program-digests.ts";
import { Refusal } from "./refusal.ts";
import type { SecretLookUp } from "./stored-secrets.ts";

/** A call, and everything that its facts depend on. */
export interface FactsRequest {
  readonly manifest: CapabilityManifest;
  /** Valid against the manifest's input schema. */
  readonly args: JsonObject;
  readonly authority: Authority;
  readonly sandbox: SandboxView | null;
  readonly digests: ProgramDigests;
  /** Without it, the session has no open terminals. */
  readonly terminals?: SessionTerminals;
  /** Looks up hosts; without it, no name has an address. */
  readonly names?: HostNames;
  /** Finds stored secrets; without it, there are none. */
  readonly secrets?: SecretLookUp;
  /** The system on which the facts are taken; the current one if absent. */
  readonly platform?: NodeJS.Platform;
  /** N for the Nth redirect of the call; absent for the call itself. */
  readonly hop?: number;
}

/** Finds an open terminal of one session, with the facts of its program as they were decided on. */
export type SessionTerminals = (id: string) => {
  readonly question: ProgramQuestion;
  readonly bound: BoundTerminal;
} | null;

/** The facts with what they hold open, or why there are none. */
export type FactsResult =
  | { readonly ok: true; readonly facts: Facts; readonly bound: BoundArguments }
  | { readonly ok: false; readonly reason: string };

/** The caller disposes of `bound` when the call is over. */
export async function takeFacts(request: FactsRequest): Promise<FactsResult> {
  const held = new DisposableStack();
  try {
    const resolved: Resolved[] = [];
    for (const declared of request.manifest.arguments) {
      if (declared.kind === "program") resolved.push(...(await resolvePrograms(declared, request, held)));
      else if (declared.kind !== "size") resolved.push(await resolve(declared, request, held));
    }
    const [first, ...others] = resolved.flatMap(({ questions }) => questions);
    const bound = new Map(resolved.map((one) => [one.pointer, one.bound]));
    return {
      ok: true,
      facts: { questions: [first ?? { kind: "tool" }, ...others] },
      bound: new BoundArguments(bound, held),
    };
  } catch (error) {
    held.dispose();
    if (error instanceof Refusal) return { ok: false, reason: error.message };
    throw error;
  }
}

interface Resolved {
  readonly pointer: string;
  readonly questions: readonly FactQuestion[];
  readonly bound: BoundArgument;
}

/** A pipeline has at least two programs. */
export const STAGES_MIN = 2;

const NO_TERMINALS: SessionTerminals = () => null;
const NO_SECRETS: SecretLookUp = () => null;
const NO_NAMES = new HostNames(async () => []);

async function resolve(
  declared: Exclude<DeclaredArgument, { kind: "size" | "program" }>,
  request: FactsRequest,
  held: DisposableStack,
): Promise<Resolved> {
  const { manifest, args, authority } = request;
  const { pointer } = declared;
  const { workspace } = authority;
  if (declared.kind === "terminal") {
    const { question, bound } = openTerminal(textAt(args, pointer), request.terminals ?? NO_TERMINALS);
    return { pointer, questions: [question], bound };
  }
  if (declared.kind === "host") {
    const { names = NO_NAMES, secrets = NO_SECRETS, hop = 0 } = request;
    const bytes = sizeOf(manifest, args);
    const { question, bound } = await resolveHost({ declared, args, authority, names, secrets, bytes, hop });
    return { pointer, questions: [question], bound };
  }
  if (declared.kind === "mcp_tool") {
    const question = resolveMcpTool(declared, args);
    return { pointer, questions: [question], bound: { kind: "mcp_tool", definition: question.definition } };
  }
  requireHeldPaths(request.platform ?? process.platform);
  const { questions, bound } = resolvePath(declared, args, workspace, held);
  const bytes = declared.access === "create" ? sizeOf(manifest, args) : 0;
  const recursive = bound.type === "directory" && isSaid(declared.recursive, args) ? { recursive: true } : {};
  return { pointer, questions: questions.map((question) => ({ ...question, bytes, ...recursive })), bound };
}

/**
 * Resolves the program that a call names, or each stage of its pipeline, under the pointer at which it stands.
 * INVARIANT: I3: each stage is a question of its own, so a pipeline is permitted only if each of its programs is.
 */
async function resolvePrograms(
  declared: DeclaredProgram,
  { args, authority, sandbox, digests, platform = process.platform }: FactsRequest,
  held: DisposableStack,
): Promise<Resolved[]> {
  const { workspace, searchPath } = authority;
  const resolved: Resolved[] = [];
  let words = 0;
  for (const stage of stagesOf(declared, args)) {
    const asked = { declared: stage, args, workspace, searchPath, sandbox, digests, platform };
    const { question, bound } = await resolveProgram(asked, held);
    words += bound.args.length;
    resolved.push({ pointer: stage.pointer, questions: [question], bound });
  }
  if (words > LIMITS.argvItems) throw new Refusal(`its programs have more than ${LIMITS.argvItems} arguments together`);
  return resolved;
}

function stagesOf(declared: DeclaredProgram, args: JsonObject): DeclaredProgram[] {
  const { pointer, argv, stages } = declared;
  const list = stages === undefined ? undefined : valueAt(args, stages);
  if (list === undefined) return [declared];
  // INVARIANT: I3: only what was decided on can be started; a program beside the stages would be neither.
  if (valueAt(args, pointer) !== undefined || valueAt(args, argv) !== undefined) {
    throw new Refusal(`the call names a program at ${pointer} beside the stages at ${stages}`);
  }
  if (!Array.isArray(list) || list.length < STAGES_MIN || list.length > LIMITS.stages) {
    throw new Refusal(`the argument ${stages} is not a list of ${STAGES_MIN} to ${LIMITS.stages} programs`);
  }
  return list.map((_, index) => ({
    ...declared,
    pointer: `${stages}/${index}${pointer}`,
    argv: `${stages}/${index}${argv}`,
  }));
}

/** INVARIANT: I8: nothing is known here of another session's terminals, not even that they exist. */
function openTerminal(id: string, terminals: SessionTerminals): NonNullable<ReturnType<SessionTerminals>> {
  const found = terminals(id);
  if (found === null) throw new Refusal(`no terminal \`${printable(id, LIMITS.labelChars)}\` of this session is open`);
  return found;
}

function resolvePath(
  { pointer, access, parents }: DeclaredPath,
  args: JsonObject,
  workspace: string,
  held: DisposableStack,
): ResolvedPath {
  const text = textAt(args, pointer);
  if (access !== "create") return resolveExisting(text, workspace, held);
  return isSaid(parents, args)
    ? resolveCreatableFolders(text, workspace, held)
    : resolveCreatable(text, workspace, held);
}

/** Whether a manifest says so for every call, or names an argument that says so for this one. */
function isSaid(said: string | true | undefined, args: JsonObject): boolean {
  return said === true || (said !== undefined && valueAt(args, said) === true);
}

/**
 * The bytes that the call would write, by its declared sizes; each path that it may create is asked about for all of
 * them.
 */
function sizeOf(manifest: CapabilityManifest, args: JsonObject): number {
  return manifest.arguments
    .filter((declared) => declared.kind === "size")
    .reduce((sum, { pointer }) => sum + sizeAt(args, pointer), 0);
}

/** By convention, a member `encoding` beside a text says how the text encodes bytes. */
function sizeAt(args: JsonObject, pointer: string): number {
  const value = valueAt(args, pointer);
  if (value === undefined) return 0;
  if (typeof value !== "string") throw new Refusal(`the argument ${pointer} is not a text`);
  const encoding = valueAt(args, `${pointer.slice(0, pointer.lastIndexOf("/"))}/encoding`);
  const bytes = contentBytes(value, encoding === "base64" ? "base64" : "utf8");
  if (bytes === null) throw new Refusal(`the argument ${pointer} is not well-formed ${String(encoding ?? "text")}`);
  return bytes.length;
}
