/**
 * Chooses the model of a chat: from the command line, otherwise from `[chat]`. The key is read here and sent only to
 * the model's endpoint.
 */
import { resolve } from "node:path";
import { modelAt, PROVIDERS, type ProviderName, type ScriptedStep, scriptedModel } from "@femtoclaw/agent";
import { readPrivate } from "@femtoclaw/journal";
import {
  errorText,
  FemtoError,
  type HostEnvironment,
  holdsInexact,
  parseMarkedJson,
  printable,
  systemErrorCode,
} from "@femtoclaw/protocol";
import type { ChatSetting } from "@femtoclaw/runtime/configuration";
import { bytesWithin } from "../named-file.ts";
import { countText } from "../terminal/count-text.ts";

export interface ModelOptions {
  readonly provider?: ProviderName;
  readonly model?: string;
  readonly baseUrl?: string;
  readonly keyFile?: string;
  readonly keyEnv?: string;
  readonly script?: string;
}

export interface ChatModel {
  readonly model: Awaited<ReturnType<typeof modelAt>>;
  /** A description for people; contains nothing secret. */
  readonly about: string;
}

/** LIMIT: characters of a key; those of providers are much shorter. */
const KEY_CHARS_MAX = 4_096;
/** LIMIT: bytes of a script. */
const SCRIPT_BYTES_MAX = 16_777_216;

type KeyPlace = NonNullable<ChatSetting["key"]>;

export async function chatModel(
  options: ModelOptions,
  setting: ChatSetting | undefined,
  { cwd, environment }: { readonly cwd: string; readonly environment: HostEnvironment },
): Promise<ChatModel> {
  const { script } = options;
  if (script !== undefined) {
    if (Object.keys(options).some((name) => MODEL_OPTIONS.has(name)))
      throw new FemtoError("FEMTO_USAGE", "a script takes the place of a model, so name one of them");
    const steps = readScript(resolve(cwd, script));
    return { model: scriptedModel(steps), about: `a script of ${countText(steps.length, "answer")}, and no model` };
  }
  const provider = options.provider ?? setting?.provider;
  const model = options.model ?? setting?.model;
  if (provider === undefined || model === undefined) throw noModel();
  const isOther = options.provider !== undefined || options.baseUrl !== undefined;
  // The configured URL belongs to the configured provider, so another provider does not use it.
  const baseUrl = options.baseUrl ?? (isOther ? undefined : setting?.base_url);
  // INVARIANT: I10: a key is sent only to the endpoint that it was configured with.
  const place = keyPlace(options, cwd) ?? (isOther ? undefined : setting?.key);
  const key = place === undefined ? undefined : await readKey(place, environment);
  const endpoint = {
    provider,
    model,
    ...(baseUrl === undefined ? {} : { baseUrl }),
    ...(key === undefined ? {} : { key }),
  };
  // A base URL that is none is refused here.
  const at = await modelAt(endpoint);
  const where = baseUrl === undefined ? provider : new URL(baseUrl).host;
  return { model: at, about: `${printable(model)} at ${printable(where)}` };
}

const MODEL_OPTIONS: ReadonlySet<string> = new Set(["provider", "model", "baseUrl", "keyFile", "keyEnv"]);

function keyPlace({ keyFile, keyEnv }: ModelOptions, cwd: string): KeyPlace | undefined {
  if (keyFile !== undefined && keyEnv !== undefined)
    throw new FemtoError("FEMTO_USAGE", "a key is in a file or in a variable, so name one of them");
  if (keyFile !== undefined) return { file: resolve(cwd, keyFile) };
  return keyEnv === undefined ? undefined : { variable: keyEnv };
}

async function readKey(place: KeyPlace, environment: HostEnvironment): Promise<string> {
  const isFile = "file" in place;
  const text = isFile ? await readPrivate(place.file, KEY_CHARS_MAX + 2) : environment[place.variable];
  const key = (text ?? "").trim();
  // An invalid key is not quoted, because it may contain most of a real one.
  if (/^[\x21-\x7e]+$/.test(key) && key.length <= KEY_CHARS_MAX) return key;
  const where = isFile ? printable(place.file, 4_096) : `the variable ${printable(place.variable)}`;
  throw new FemtoError("FEMTO_USAGE", `${where} holds no key`, {
    fix: "Put the provider's key there, on one line. If the endpoint needs no key, leave the setting out.",
  });
}

function noModel(): FemtoError {
  return new FemtoError("FEMTO_USAGE", "no model is named", {
    fix: `Add a table [chat] to femtoclaw.toml, or use --provider (${PROVIDERS.join(" or ")}), --model and --base-url. --script FILE needs no model.`,
  });
}

/** A JSON list of steps, each with `text`, `calls` of `tool` and `args`, or both. */
function readScript(path: string): ScriptedStep[] {
  const refused = (reason: string): FemtoError =>
    new FemtoError("FEMTO_USAGE", `the script ${printable(path, 4_096)} ${reason}`, {
      fix: 'Write a JSON list such as [{"text":"…","calls":[{"tool":"fs_read","args":{"path":"README.md"}}]}].',
    });
  let steps: unknown;
  try {
    const bytes = bytesWithin(path, SCRIPT_BYTES_MAX);
    if (bytes === null) throw refused(`has more than ${SCRIPT_BYTES_MAX} bytes`);
    steps = parseMarkedJson(bytes.toString("utf8"));
  } catch (error) {
    if (error instanceof FemtoError) throw error;
    throw refused(`cannot be read (${printable(systemErrorCode(error) ?? errorText(error))})`);
  }
  if (holdsInexact(steps)) throw refused("holds a number that cannot be held exactly; its `args` can be a text");
  if (!Array.isArray(steps) || !steps.every(isStep)) throw refused("is no list of steps");
  return steps;
}

function isStep(step: unknown): step is ScriptedStep {
  if (typeof step !== "object" || step === null) return false;
  const { text, calls, after_ms, ...rest } = step as Readonly<Record<string, unknown>>;
  return (
    Object.keys(rest).length === 0 &&
    (text === undefined || typeof text === "string") &&
    (after_ms === undefined || Number.isSafeInteger(after_ms)) &&
    (calls === undefined || (Array.isArray(calls) && calls.every(isCall)))
  );
}

function isCall(call: unknown): boolean {
  if (typeof call !== "object" || call === null) return false;
  const { tool, args, ...rest } = call as Readonly<Record<string, unknown>>;
  const hasArgs = args === undefined || typeof args === "string" || (typeof args === "object" && args !== null);
  return typeof tool === "string" && hasArgs && Object.keys(rest).length === 0;
}
