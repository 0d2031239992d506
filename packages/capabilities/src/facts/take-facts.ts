/**
 * Turns the declared arguments of a call into facts. This is trusted code that reads the manifest,
 * never the capability that wants permission; what it resolved is held open for the effect.
 */
import type { Authority, CapabilityManifest, DeclaredArgument, FactQuestion, Facts } from "@femtoclaw/protocol";
import type { SandboxView } from "@femtoclaw/sandbox";
import type { JsonObject } from "../capability.ts";
import { contentBytes } from "../files/content.ts";
import { textAt, valueAt } from "./arguments.ts";
import { type BoundArgument, BoundArguments } from "./bound-arguments.ts";
import { resolveHost } from "./host.ts";
import { HostNames } from "./host-names.ts";
import { resolveCreatable, resolveExisting } from "./path.ts";
import { resolveProgram } from "./program.ts";
import type { ProgramDigests } from "./program-digests.ts";
import { Refusal } from "./refusal.ts";
import type { SecretLookUp } from "./stored-secrets.ts";

export interface FactsRequest {
  readonly manifest: CapabilityManifest;
  /** Valid against the manifest's input schema. */
  readonly args: JsonObject;
  readonly authority: Authority;
  readonly sandbox: SandboxView | null;
  readonly digests: ProgramDigests;
  /** Looks hosts up; without it no name has an address. */
  readonly names?: HostNames;
  /** Finds stored secrets; without it there are none. */
  readonly secrets?: SecretLookUp;
  /** N for the Nth redirect of the call; absent for the call itself. */
  readonly hop?: number;
}

export type FactsResult =
  | { readonly ok: true; readonly facts: Facts; readonly bound: BoundArguments }
  | { readonly ok: false; readonly reason: string };

/** Whoever gets `bound` disposes of it when the call is over. */
export async function takeFacts(request: FactsRequest): Promise<FactsResult> {
  using held = new DisposableStack();
  try {
    const resolved: Resolved[] = [];
    for (const declared of request.manifest.arguments) {
      if (declared.kind !== "size") resolved.push(await resolve(declared, request, held));
    }
    const [first, ...others] = resolved.map(({ question }) => question);
    const bound = new Map(resolved.map((one) => [one.pointer, one.bound]));
    return {
      ok: true,
      facts: { questions: [first ?? { kind: "tool" }, ...others] },
      bound: new BoundArguments(bound, held.move()),
    };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, reason: error.message };
    throw error;
  }
}

interface Resolved {
  readonly pointer: string;
  readonly question: FactQuestion;
  readonly bound: BoundArgument;
}

const NO_SECRETS: SecretLookUp = () => null;
const NO_NAMES = new HostNames(async () => []);

async function resolve(
  declared: Exclude<DeclaredArgument, { kind: "size" }>,
  { manifest, args, authority, sandbox, digests, names = NO_NAMES, secrets = NO_SECRETS, hop = 0 }: FactsRequest,
  held: DisposableStack,
): Promise<Resolved> {
  const { pointer } = declared;
  const { workspace, searchPath } = authority;
  if (declared.kind === "program") {
    return { pointer, ...(await resolveProgram({ declared, args, workspace, searchPath, sandbox, digests }, held)) };
  }
  if (declared.kind === "host") {
    const bytes = sizeOf(manifest, args);
    return { pointer, ...(await resolveHost({ declared, args, authority, names, secrets, bytes, hop })) };
  }
  const text = textAt(args, pointer);
  if (declared.access !== "create") return { pointer, ...resolveExisting(text, workspace, held) };
  const { question, bound } = resolveCreatable(text, workspace, held);
  return { pointer, question: { ...question, bytes: sizeOf(manifest, args) }, bound };
}

/** A declared size is that of what the call would write; each path that it may create asks about all of it. */
function sizeOf(manifest: CapabilityManifest, args: JsonObject): number {
  return manifest.arguments
    .filter((declared) => declared.kind === "size")
    .reduce((sum, { pointer }) => sum + sizeAt(args, pointer), 0);
}

/** By convention a member `encoding` beside a text says how it stands for bytes. */
function sizeAt(args: JsonObject, pointer: string): number {
  const value = valueAt(args, pointer);
  if (value === undefined) return 0;
  if (typeof value !== "string") throw new Refusal(`the argument ${pointer} is not a text`);
  const encoding = valueAt(args, `${pointer.slice(0, pointer.lastIndexOf("/"))}/encoding`);
  const bytes = contentBytes(value, encoding === "base64" ? "base64" : "utf8");
  if (bytes === null) throw new Refusal(`the argument ${pointer} is not well-formed ${String(encoding ?? "text")}`);
  return bytes.length;
}
