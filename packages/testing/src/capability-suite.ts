/**
 * The contract of a capability, as a suite of tests: for built-in ones, those that an embedder trusts, and third-party
 * packages alike. The capability runs in a real runtime and is judged by its replies and records. The suite runs under
 * any test runner that has `describe` and `it`.
 */
import assert from "node:assert/strict";
import type { JsonObject } from "@femtoclaw/capabilities";
import { type CapabilityManifest, pointerTokens, type Reply, type TypedRecord } from "@femtoclaw/protocol";
import type { Runtime, Session } from "@femtoclaw/runtime";

export interface CapabilitySuiteOptions {
  readonly manifest: CapabilityManifest;
  /** A started runtime in which the capability is enabled and, if it is a package, accepted. Its maker closes it. */
  readonly runtime: () => Runtime;
  /**
   * New arguments of a call that is permitted and succeeds; it may first propose in the session what that call needs.
   */
  readonly permitted: (session: Session) => JsonObject | Promise<JsonObject>;
  /** Valid arguments that no rule permits; absent if the capability is permitted by name, whatever its arguments. */
  readonly denied?: JsonObject;
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: (name: string, body: () => Promise<void>) => unknown;
}

type Check = (suite: CapabilitySuiteOptions) => Promise<void>;

export function capabilitySuite(options: CapabilitySuiteOptions): void {
  options.describe(`capability: ${options.manifest.name}`, () => {
    for (const [title, check] of Object.entries(CHECKS)) options.it(title, () => check(options));
    const { denied } = options;
    if (denied !== undefined) options.it("is not called where no rule permits it", () => isDenied(options, denied));
  });
}

const CHECKS: Readonly<Record<string, Check>> = {
  "declares only arguments that its closed schema has": async ({ manifest }) => {
    assert.equal(manifest.input["additionalProperties"], false);
    for (const { pointer } of manifest.arguments) {
      assert.ok(isInSchema(manifest.input, pointerTokens(pointer)), `the schema has no argument at ${pointer}`);
    }
  },
  "says what it is to the registry as it is": async ({ manifest, runtime }) => {
    const registered = runtime()
      .capabilities()
      .find(({ name }) => name === manifest.name);
    assert.ok(registered?.enabled, "it is enabled");
    assert.equal(registered.version, manifest.version);
    // INVARIANT: exactly the capabilities that somebody trusts run in the process of the host.
    assert.equal(registered.trusted === true, registered.isolation === "in-process");
  },
  "takes no argument that its schema does not have": async (suite) => {
    await inSession(suite, async (session) => {
      const reply = await propose(suite, session, { ...(await suite.permitted(session)), not_an_argument: 1 });
      assert.equal(reply.error?.code, "FEMTO_ARGUMENTS_INVALID");
      assert.deepEqual(await recordsOf(suite, reply), ["execution.refused"]);
    });
  },
  "is not called while it is disabled": async (suite) => {
    const { manifest, runtime } = suite;
    await inSession(suite, async (session) => {
      const args = await suite.permitted(session);
      await runtime().switchCapability({ name: manifest.name, enabled: false, by: "suite" });
      try {
        const reply = await propose(suite, session, args);
        assert.equal(reply.decision, "DENIED_CAPABILITY_DISABLED");
        assert.deepEqual(await recordsOf(suite, reply), ["execution.refused"]);
      } finally {
        await runtime().switchCapability({ name: manifest.name, enabled: true, by: "suite" });
      }
    });
  },
  "does its work between an intent and an outcome that tell how": async (suite) => {
    await inSession(suite, async (session) => {
      const reply = await succeed(suite, session);
      const records = await fullRecordsOf(suite, reply);
      const [intent, ...others] = records;
      const outcome = others.at(-1);
      assert.ok(intent?.type === "execution.intent" && outcome?.type === "execution.outcome");
      assert.equal(outcome.body.intent, intent.seq);
      const registered = suite
        .runtime()
        .capabilities()
        .find(({ name }) => name === suite.manifest.name);
      if (registered?.isolation === "sandbox") assert.ok(outcome.body.sandbox, "the outcome names the sandbox");
      const isTrusted = registered?.isolation === "in-process" ? true : undefined;
      assert.deepEqual([intent.body.trusted, outcome.body.trusted], [isTrusted, isTrusted]);
      assert.equal(intent.body.code_sha256 !== undefined, registered?.origin === "package");
      const bytes = Buffer.byteLength(JSON.stringify(reply.result));
      // Escapes make the JSON text longer than the value.
      assert.ok(bytes <= 6 * suite.manifest.limits.output_bytes + 65_536, `the result has ${bytes} bytes`);
    });
  },
  "is over soon after it was cancelled": async (suite) => {
    await inSession(suite, async (session) => {
      const args = await suite.permitted(session);
      const cancelling = new AbortController();
      const proposed = propose(suite, session, args, cancelling.signal);
      cancelling.abort();
      // It may have finished before the cancellation arrived; otherwise it says that it was stopped.
      const { status, error } = await proposed;
      const codes = ["FEMTO_EXECUTION_HALTED", "FEMTO_CAPABILITY_CANCELLED"];
      assert.ok(status === "completed" || codes.includes(String(error?.code)), `${status} ${error?.reason}`);
    });
  },
  "does the same again where it says that it does": async (suite) => {
    if (!suite.manifest.idempotent) return;
    await inSession(suite, async (session) => {
      const args = await suite.permitted(session);
      for (const reply of [await propose(suite, session, args), await propose(suite, session, args)]) {
        assert.equal(reply.status, "completed", reply.error?.reason ?? "it gives no reason");
      }
    });
  },
};

async function isDenied(suite: CapabilitySuiteOptions, args: JsonObject): Promise<void> {
  await inSession(suite, async (session) => {
    const reply = await propose(suite, session, args);
    assert.equal(reply.status, "denied", reply.error?.reason ?? "it gives no reason");
    assert.deepEqual(await recordsOf(suite, reply), ["execution.refused"]);
  });
}

async function inSession(
  { runtime }: CapabilitySuiteOptions,
  work: (session: Session) => Promise<void>,
): Promise<void> {
  await using session = runtime().openSession({ channel: "library", label: "capability suite" });
  await work(session);
}

async function propose(
  { manifest }: CapabilitySuiteOptions,
  session: Session,
  args: JsonObject,
  signal?: AbortSignal,
): Promise<Reply> {
  const options = signal === undefined ? {} : { signal };
  return await session.propose({ tool_call: { tool: manifest.name, args } }, options);
}

async function succeed(suite: CapabilitySuiteOptions, session: Session): Promise<Reply> {
  const reply = await propose(suite, session, await suite.permitted(session));
  assert.equal(reply.status, "completed", `${reply.error?.code}: ${reply.error?.reason}`);
  return reply;
}

async function recordsOf(suite: CapabilitySuiteOptions, reply: Reply): Promise<string[]> {
  return (await fullRecordsOf(suite, reply)).map(({ type }) => type);
}

/** The records of the execution, in order; a reply names the last one. */
async function fullRecordsOf({ runtime }: CapabilitySuiteOptions, reply: Reply): Promise<TypedRecord[]> {
  const records: TypedRecord[] = [];
  assert.ok(reply.record, "what was decided has a record");
  for await (const record of runtime().reader.readFrom(0)) {
    if (record.execution === reply.execution_id) records.push(record);
  }
  return records;
}

/** Follows `properties` and the items of lists; other keywords of a schema are ignored. */
function isInSchema(schema: unknown, [token, ...others]: readonly string[]): boolean {
  if (token === undefined) return true;
  const { properties, items } = Object(schema) as { readonly properties?: object; readonly items?: unknown };
  if (properties !== undefined && Object.hasOwn(properties, token)) {
    return isInSchema((properties as Record<string, unknown>)[token], others);
  }
  return items !== undefined && isInSchema(items, [token, ...others]);
}
