/** What an honest embedder gets wrong where no types help: nothing of it may silently weaken what is in force, or harm the log. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PreparedEffect } from "@femtoclaw/capabilities";
import { createRuntime, resolveConfiguration, type TelemetrySource } from "@femtoclaw/runtime";
import { describe, expect, it, onTestFinished } from "vitest";
import { call, capability, holding, ofType, recordsOf, startRuntime, temporaryHome } from "./runtime-fixture.ts";

const echo = capability("echo", ({ args }) => args);

describe("a runtime", () => {
  it("does not start with an option whose name is misspelt", async () => {
    const rules = { rules: [], triedRevision: null };
    await expect(startRuntime({ policyfiles: rules } as never)).rejects.toThrow(/createRuntime has no `policyfiles`/);
    for (const configuration of [undefined, null, { workspace: "." }]) {
      await expect(createRuntime({ configuration } as never)).rejects.toThrow(/the result of `resolveConfiguration`/);
    }
  });

  it("says of a configuration that is no table what it expected, and of nothing a place", () => {
    const from = { baseDirectory: "/", environment: {} };
    expect(() => resolveConfiguration({ configuration: undefined, ...from } as never)).toThrow(
      /^expected a table with/,
    );
  });

  it("does not start where what verifies it says no later", async () => {
    const verifyIntegrity = async () => {
      await Promise.resolve();
      throw new Error("another program than was released");
    };
    await expect(startRuntime({ verifyIntegrity })).rejects.toThrow("another program than was released");
  });

  it.each<[what: string, options: unknown]>([
    ["an integrity that is none", { verifyIntegrity: () => ({}) }],
    ["sources that name nothing", { sources: {} }],
    ["an installation without a place", { installation: {} }],
    ["a change of nothing", { deploymentChanges: [{}] }],
    ["a number for a path", { configurationPath: 5 }],
  ])("does not start with %s, and its log can still be read afterwards", async (_what, options) => {
    const home = temporaryHome();
    await expect(home.start(options as never)).rejects.toThrow(/would not match its schema/);
    const runtime = await home.start();
    expect(ofType(await recordsOf(runtime.reader), "boot.started")).toHaveLength(1);
    await runtime.close();
  });

  it("records nothing of an exporter that could not be read back", async () => {
    const exporter = { kind: "otlp", start: async () => 0, wake: () => undefined, stop: async () => 0 } as const;
    await expect(startRuntime({ telemetry: { ...exporter, kind: "oltp" } as never })).rejects.toThrow(/`kind`/);
    for (const cursor of ["x", -1, 0.5, undefined, Number.NaN]) {
      const refused: unknown[] = [];
      const start = async ({ onChange }: TelemetrySource): Promise<number> => {
        setImmediate(() => {
          for (const change of [
            ["degraded", cursor],
            ["gone", 0],
          ] as const) {
            try {
              onChange(...(change as [never, never]));
            } catch (error) {
              refused.push(error);
            }
          }
        });
        return cursor as number;
      };
      const runtime = await startRuntime({ telemetry: { ...exporter, start } });
      await expect.poll(() => refused).toEqual([expect.any(TypeError), expect.any(TypeError)]);
      await runtime.checkpoint();
      const [started] = ofType(await recordsOf(runtime.reader), "observability.started");
      expect(started?.body).toMatchObject({ state: "degraded", cursor: 0 });
      await runtime.close();
    }
  });

  it.each(["in-proces", "", undefined, ["in-process"]])(
    "does not run code whose isolation is %o",
    async (isolation) => {
      const capabilities = [{ ...echo, isolation, trusted: undefined } as never];
      await expect(startRuntime({ capabilities })).rejects.toMatchObject({ code: "FEMTO_CONFIG_INVALID" });
    },
  );

  it("takes no policy with a misspelt name for one without files", async () => {
    const runtime = await startRuntime({ capabilities: [echo] });
    const candidate = {
      configuration: temporaryHome().configuration(),
      policyfiles: { rules: [], triedRevision: null },
    };
    await expect(runtime.reload(candidate, "uid:0")).rejects.toThrow(/reload has no `policyfiles`/);
  });

  it("switches nothing on by a word that means off", async () => {
    const runtime = await startRuntime({ capabilities: [echo] });
    await runtime.switchCapability({ name: "echo", enabled: false, by: "uid:0" });
    await expect(runtime.switchCapability({ name: "echo", enabled: "false" as never, by: "uid:0" })).rejects.toThrow(
      TypeError,
    );
    expect(runtime.capabilities().find(({ name }) => name === "echo")?.enabled).toBe(false);
  });
});

it("a runtime that is closed opens no session", async () => {
  const runtime = await startRuntime();
  await runtime.close();
  for (const channel of ["library", "agent", "operator"] as const) {
    expect(() => runtime.openSession({ channel })).toThrow(expect.objectContaining({ code: "FEMTO_DRAINING" }));
  }
});

describe("what was passed to a runtime", () => {
  it("stays as it was when it was checked, whatever its owner does with it", async () => {
    const home = temporaryHome();
    for (const folder of ["open", "closed"]) mkdirSync(join(home.root, folder));
    for (const name of ["open/a", "closed/a"]) writeFileSync(join(home.root, name), name);
    const tables = { capabilities: { fs_read: true as const, takes: true as const }, allow: { read: ["open"] } };
    const configuration = home.configuration(tables);
    const takes = capability("takes", async () => ({ by: "what was registered" }), {
      input: { type: "object", additionalProperties: false, properties: { path: { type: "string" } } },
      arguments: [{ pointer: "/path", kind: "path", access: "read" }],
      effect: "read",
    });
    const permit: string[] = [];
    const runtime = await createRuntime({ configuration, capabilities: [takes], permit });
    onTestFinished(() => runtime.close({ drainMs: 0 }));
    const { manifest } = takes as { manifest: { arguments: unknown[]; input: unknown } };
    const widen = (given: typeof configuration): void => {
      (given.authority.allow.read as unknown[]).push({ ...given.authority.allow.read[0], path: home.root });
      (given.capabilities as Map<string, unknown>).delete("fs_read");
    };
    manifest.arguments = [];
    manifest.input = { type: "object" };
    (takes as { execute: unknown }).execute = async () => ({
      event: "succeeded",
      result: { by: "another" },
      sandbox: null,
    });
    permit.push("takes");
    widen(configuration);
    const next = home.configuration(tables);
    const reloaded = runtime.reload({ configuration: next }, "uid:0");
    widen(next);
    await reloaded;
    await using session = runtime.openSession({ channel: "library" });
    const path = join(home.root, "closed/a");
    for (const tool of ["takes", "fs_read"]) {
      const reply = await session.propose(call(tool, { path }));
      expect(reply, tool).toMatchObject({ decision: "DENIED_POLICY_VIOLATION" });
    }
    const granted = await session.propose(call("takes", { path: join(home.root, "open/a") }));
    expect(granted, JSON.stringify(granted)).toMatchObject({
      status: "completed",
      result: { by: "what was registered" },
    });
  });

  it.each<[what: string, options: unknown]>([
    ["nothing for a capability", { capabilities: [null] }],
    ["a capability without a manifest", { capabilities: [{}] }],
    ["a capability that does nothing", { capabilities: [{ ...echo, execute: undefined }] }],
  ])("is refused if it is %s", async (_what, options) => {
    const home = temporaryHome();
    const started = createRuntime({ configuration: home.configuration(), ...(options as object) });
    await expect(started).rejects.toMatchObject({ code: "FEMTO_CONFIG_INVALID" });
  });
});

describe("what a runtime hands out", () => {
  /** As code without types does it that takes what it was given for its own. */
  const spoil = (what: string, change: () => unknown): void => {
    try {
      change();
    } catch (error) {
      expect(error, what).toBeInstanceOf(TypeError);
    }
  };

  it("changes nothing that is in force, whatever is done with it", async () => {
    const runtime = await startRuntime({ capabilities: [echo] });
    await runtime.switchCapability({ name: "echo", enabled: false, by: "uid:0" });
    const shown = (): unknown => structuredClone([runtime.policy, runtime.capabilities(), runtime.tools()]);
    const before = shown();
    spoil("the state of a capability", () => {
      for (const one of runtime.capabilities()) (one as { enabled: boolean }).enabled = true;
    });
    const { policy } = runtime;
    spoil("the rules", () => (policy.rules as unknown[]).pop());
    for (const rule of policy.rules) {
      spoil("the text of a rule", () => {
        (rule as { text: string }).text = "permit (principal, action, resource);";
      });
    }
    spoil("the actions", () => (policy.actions as unknown[]).pop());
    for (const action of policy.actions) {
      spoil("the effect of an action", () => {
        (action as { effect: string }).effect = "none";
      });
    }
    for (const { input } of runtime.tools()) {
      spoil("a schema", () => {
        (input["properties"] as Record<string, unknown>)["more"] = {};
      });
    }
    expect(shown()).toEqual(before);
    await using session = runtime.openSession({ channel: "library" });
    expect(await session.propose(call("echo", {}))).toMatchObject({ error: { code: "FEMTO_CAPABILITY_DISABLED" } });
  });
});

it("a configuration has no own paths under a misspelt name", () => {
  const input = { configuration: {}, baseDirectory: temporaryHome().root, environment: {} };
  expect(() => resolveConfiguration({ ...input, ownPath: ["femtoclaw.toml"] } as never)).toThrow(/has no `ownPath`/);
});

describe("a session", () => {
  it.each([{ channel: "library", principle: "intern" }, { channel: "libary" }, { channel: "toString" }, {}])(
    "is not opened with %o",
    async (options) => {
      const runtime = await startRuntime({ capabilities: [echo] });
      expect(() => runtime.openSession(options as never)).toThrow(TypeError);
      expect(runtime.status().sessions).toEqual([]);
    },
  );

  const broken = (): never => {
    throw new TypeError("it is broken");
  };
  const signal = { aborted: false, addEventListener: () => undefined, removeEventListener: () => undefined };
  it.each<[what: string, options: unknown]>([
    ["a controller for a signal", { signal: new AbortController() }],
    ["null for a signal", { signal: null }],
    ["half a signal", { signal: { addEventListener: () => undefined } }],
    ["a signal that nobody can listen to", { signal: { ...signal, addEventListener: broken } }],
    ["a signal that does not tell", { signal: Object.defineProperty({ ...signal }, "aborted", { get: broken }) }],
    ["null for wishes", { wishes: null }],
    ["wishes that are none", { wishes: { canAnswer: 7 } }],
    ["a wish for no level", { wishes: { logLevel: "loud" } }],
    [
      "wishes that cannot be read",
      { wishes: Object.defineProperty({}, "logLevel", { enumerable: true, get: broken }) },
    ],
    ["a number for a label", { label: 5 }],
    ["null for a trace", { trace: null }],
    ["a text for a function", { onIdentified: "log" }],
    ["a misspelt option", { signall: AbortSignal.abort() }],
    ["null for options", null],
  ])("takes no call with %s, and keeps no place for it", async (_what, options) => {
    const runtime = await startRuntime({ capabilities: [echo], configuration: { limits: { concurrency: 1 } } });
    await using session = runtime.openSession({ channel: "library" });
    await expect(session.propose(call("echo"), options as never)).rejects.toThrow(TypeError);
    expect((await session.propose(call("echo"))).status).toBe("completed");
    expect(runtime.status()).toMatchObject({ running: 0, queued: 0, unresolved: 0 });
  });

  it("answers a call whose signal cannot be left, and each option counts as it was when it was checked", async () => {
    const runtime = await startRuntime({ capabilities: [echo], configuration: { limits: { concurrency: 1 } } });
    await using session = runtime.openSession({ channel: "library" });
    const sticky = { signal: { ...signal, removeEventListener: broken } };
    expect((await session.propose(call("echo"), sticky as never)).status).toBe("completed");
    let reads = 0;
    const changing = {
      get signal() {
        reads += 1;
        return reads === 1 ? signal : 5;
      },
    };
    expect((await session.propose(call("echo"), changing as never)).status).toBe("completed");
    expect((await session.propose(call("echo"))).status).toBe("completed");
  });

  it.each([undefined, () => 1, Symbol("message"), 1n])("takes no message %s, and counts none", async (message) => {
    const runtime = await startRuntime({ capabilities: [echo] });
    const session = runtime.openSession({ channel: "library" });
    await session.propose(call("echo"));
    await expect(session.propose(message as never)).rejects.toThrow(TypeError);
    session.close();
    await runtime.checkpoint();
    const [closed] = ofType(await recordsOf(runtime.reader), "session.closed");
    expect(closed?.body.executions).toBe(1);
  });

  it("gives back the place of a call whose capability prepared something that cannot be ended", async () => {
    const prepared = (end: object): PreparedEffect =>
      ({
        execute: async () => ({ event: "succeeded", result: {}, sandbox: null }),
        ...end,
      }) as unknown as PreparedEffect;
    const capabilities = [
      { ...capability("endless"), prepare: () => prepared({}) },
      { ...capability("breaking"), prepare: () => prepared({ [Symbol.dispose]: broken }) },
      echo,
    ];
    const runtime = await startRuntime({ capabilities, configuration: { limits: { concurrency: 1 } } });
    await using session = runtime.openSession({ channel: "library" });
    for (const name of ["endless", "breaking", "echo"]) {
      expect([name, (await session.propose(call(name))).status]).toEqual([name, "completed"]);
    }
    expect(runtime.status()).toMatchObject({ running: 0, queued: 0 });
  });

  it("has all the time for its calls that an end without any limit gives", async () => {
    const { holds, full } = holding();
    const runtime = await startRuntime({ capabilities: [holds] });
    const session = runtime.openSession({ channel: "library" });
    const reply = session.propose(call("holds"));
    await full.reached;
    expect(() => runtime.close({ drainMs: "10" } as never)).toThrow(TypeError);
    const closed = runtime.close({ drainMs: Number.POSITIVE_INFINITY });
    await new Promise((resolve) => setTimeout(resolve, 300));
    full.open();
    expect((await reply).status).toBe("completed");
    await closed;
  });

  it("runs what was proposed, also when the next message is read into the same memory", async () => {
    const runtime = await startRuntime({ capabilities: [echo] });
    await using session = runtime.openSession({ channel: "library" });
    const memory = new Uint8Array(new SharedArrayBuffer(64));
    const proposed = ["one", "two", "six"].map(async (text) => {
      const message = Buffer.from(JSON.stringify(call("echo", { text })));
      memory.set(message);
      return (await session.propose(memory.subarray(0, message.length))).result?.["text"];
    });
    memory.fill(0x20);
    expect(await Promise.all(proposed)).toEqual(["one", "two", "six"]);
  });
});

describe("an operator", () => {
  const ASKING = { capabilities: { fs_write: true as const }, ask: { write: ["workspace"] } };
  const WRITE = call("fs_write", { path: "note", content: "x", mode: "create" });

  it.each([
    { answer: "yes" },
    { answer: true },
    { scope: "Session" },
    { scope: undefined },
    { by: undefined },
    { by: 7 },
  ])("who answers with %o has said nothing, and no record says otherwise", async (slip) => {
    const runtime = await startRuntime({ configuration: ASKING });
    await using session = runtime.openSession({ channel: "library" });
    await session.propose(WRITE);
    const [question] = await runtime.approvals.list();
    if (question === undefined) throw new Error("nothing is asked");
    const { id, digest } = question;
    const answer = { id, digest, answer: "granted", scope: "once", by: "uid:0" } as const;
    const records = runtime.reader.size;
    await expect(runtime.approvals.answer({ ...answer, ...slip } as never)).rejects.toThrow(TypeError);
    expect(runtime.reader.size).toBe(records);
    expect((await runtime.approvals.answer(answer)).complete).toBe(true);
    // Each is read back by the schema of its record.
    await recordsOf(runtime.reader);
  });

  it("who stores secrets out of one object binds each to its own host", async () => {
    const home = temporaryHome();
    const runtime = await home.start();
    const secret = { name: "a", host: "a.example", port: 443, value: "the-first-secret" };
    await runtime.secrets.add(secret, "uid:0");
    Object.assign(secret, { name: "b", host: "b.example", value: "the-other-secret" });
    await runtime.secrets.add(secret, "uid:0");
    expect(runtime.secrets.list.map(({ name, host }) => [name, host])).toEqual([
      ["a", "a.example"],
      ["b", "b.example"],
    ]);
    expect(readFileSync(join(home.state, "secrets.json"), "utf8")).toContain("the-first-secret");
    await runtime.close();
  });
});
