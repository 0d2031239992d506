// @ts-check
/**
 * Runs inside the sandbox, in front of a capability of others: reads the one call, loads the code, and writes the one
 * answer. It is trusted with nothing: what it writes the host takes for the words of the capability. Plain JavaScript
 * without an import of ours, because nothing else of FemtoClaw is there.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

/** The first argument by which the executable knows that it is to run a capability. */
export const CAPABILITY_WORD = "sandbox-capability";

/** LIMIT: characters of a reason; the host keeps less, and takes out what looks like a secret before it cuts. */
const REASON_CHARS = 8_000;

export async function runCapability() {
  const { id, main, args, files } = parsed(readFileSync(0, "utf8"));
  // Standard output is for the answer; what is said besides is for the person who mends the capability.
  globalThis.console = new console.Console(process.stderr, process.stderr);
  // Where it may connect to somewhere, the way there is a proxy that lets nothing else pass.
  // HTTP is loaded for that alone: the executable has this file in front of every command.
  if (process.env["HTTPS_PROXY"] !== undefined) process.getBuiltinModule("node:http").setGlobalProxyFromEnv();
  const answer = await answerOf(main, args, files);
  process.stdout.write(`${JSON.stringify({ id, ...answer })}\n`, () => process.exit(0));
}

/** A text of JSON, and the colon behind one that is a key. */
const LITERAL = /"[^"\\]*(?:\\.[^"\\]*)*"(:?)/g;
/** Begins a key that is written in another way; a key that begins so itself is written so, too. */
const MARK = "\ue000";

/**
 * Reads JSON as the host wrote it. V8 14.6 takes some keys that have an escape for earlier ones, and the capability
 * would run with other arguments than those that were decided on. So no key that V8 sees here has an escape.
 *
 * @param {string} text
 */
function parsed(text) {
  const plain = text.replace(LITERAL, (literal, colon) => {
    if (colon === "" || !/[\\\ue000]/.test(literal)) return literal;
    return `"${MARK}${encodeURIComponent(JSON.parse(literal.slice(0, -1)))}":`;
  });
  return plain === text ? JSON.parse(text) : withOwnKeys(JSON.parse(plain));
}

/**
 * @param {any} value
 * @returns {any}
 */
function withOwnKeys(value) {
  if (Array.isArray(value)) return value.map(withOwnKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => {
      return [key.startsWith(MARK) ? decodeURIComponent(key.slice(1)) : key, withOwnKeys(member)];
    }),
  );
}

/**
 * @param {string} main
 * @param {unknown} args
 * @param {Record<string, string>} files
 */
async function answerOf(main, args, files) {
  try {
    // Also from the executable, which imports nothing but what it holds.
    const { default: capability } = createRequire(main)(main);
    if (typeof capability?.run !== "function") throw new Error(`${main} has no default export with a function \`run\``);
    const entries = Object.entries(files).map(([pointer, path]) => [pointer, readFileSync(path)]);
    /** @type {Record<string, string>} */
    const contents = {};
    const put = (/** @type {string} */ pointer, /** @type {Uint8Array | string} */ content) => {
      contents[pointer] = Buffer.from(/** @type {string} */ (content)).toString("base64");
    };
    const result = await capability.run({ args, files: Object.fromEntries(entries), put });
    return { result, ...(Object.keys(contents).length === 0 ? {} : { contents }) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { error: reason.slice(0, REASON_CHARS) };
  }
}
