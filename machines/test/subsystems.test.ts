/** The machines of the subsystems: their whole tables, and what they keep while they move. */
import type { RegisteredCapability } from "@femtoclaw/protocol";
import { describe, expect, it } from "vitest";
import { type AnyMachineSnapshot, type AnyStateMachine, type EventObject, initialTransition } from "xstate";
import { MEMORY_VERSION, memoryMachine } from "../src/memory.ts";
import { OBSERVABILITY_VERSION, observabilityMachine } from "../src/observability.ts";
import { POLICY_VERSION, policyMachine } from "../src/policy.ts";
import { REGISTRY_VERSION, registryMachine } from "../src/registry.ts";
import { definitions, explore, run, step } from "./machine-table.ts";

const fault = { code: "FEMTO_INTERNAL", reason: "a test" };
const stateName = ({ value }: AnyMachineSnapshot): string => String(value);

describe("memory", () => {
  const EVENTS = memoryMachine.events.map((type) => (type === "fail" ? { type, fault } : { type }));

  it("moves by its table alone", () => {
    const { table } = explore(memoryMachine, EVENTS, stateName);
    expect(table).toEqual(
      [
        ["closed open opening", "opening opened verifying", "verifying verified ready", "ready commit committing"],
        ["committing committed ready", "ready close closing", "closing closed closed", "failed open opening"],
        ["ready exhausted full", "committing exhausted full", "full relieved ready", "full close closing"],
        ["opening", "verifying", "ready", "committing", "full", "closing"].map((from) => `${from} fail failed`),
      ]
        .flat()
        .sort(),
    );
  });

  it("remembers why it failed until it is opened again", () => {
    const failed = run(memoryMachine, [{ type: "open" }, { type: "fail", fault } as EventObject]);
    expect(failed.context).toEqual({ fault });
    expect(step(memoryMachine, failed, { type: "open" })?.context).toEqual({ fault: null });
  });
});

describe("policy", () => {
  const propose = (revision: string): EventObject & { revision: string } => ({ type: "propose", revision });
  const reject = { type: "reject", fault } as EventObject;
  const activate = { type: "activate" };
  const nameOf = ({ value, context }: AnyMachineSnapshot): string =>
    `${String(value)}:${context.active ?? "-"}:${context.candidate ?? "-"}`;

  it("moves by its table alone, and the active revision changes by activation alone", () => {
    const { table } = explore(policyMachine, [propose("a"), propose("b"), activate, reject], nameOf);
    const expected = [
      "none:-:- propose candidate:-:a",
      "none:-:- propose candidate:-:b",
      ...["a", "b"].flatMap((revision) => [
        `candidate:-:${revision} activate active:${revision}:-`,
        `candidate:-:${revision} reject none:-:-`,
        ...["a", "b"].flatMap((next) => [
          `active:${revision}:- propose candidate:${revision}:${next}`,
          `candidate:${revision}:${next} activate active:${next}:-`,
          `candidate:${revision}:${next} reject active:${revision}:-`,
        ]),
      ]),
    ];
    expect(table).toEqual(expected.sort());
  });

  it("keeps the reason of the last rejection until the next candidate", () => {
    const rejected = run(policyMachine, [propose("a"), activate, propose("b"), reject]);
    expect(rejected.context).toEqual({ active: "a", candidate: null, rejection: fault });
    expect(step(policyMachine, rejected, propose("c"))?.context.rejection).toBeNull();
  });
});

describe("observability", () => {
  it("moves by its table alone", () => {
    const events = observabilityMachine.events.map((type) => (type === "degraded" ? { type, reason: "r" } : { type }));
    const { table } = explore(observabilityMachine, events, stateName);
    expect(table).toEqual(
      [
        ["starting started exporting", "starting degraded degraded", "exporting degraded degraded"],
        ["degraded recovered exporting", "exporting flush flushing", "degraded flush flushing"],
        ["flushing stopped stopped"],
      ]
        .flat()
        .sort(),
    );
  });

  it("says why it is degraded as long as it is", () => {
    const degraded = run(observabilityMachine, [{ type: "degraded", reason: "no route" } as EventObject]);
    expect(degraded.context).toEqual({ reason: "no route" });
    expect(step(observabilityMachine, degraded, { type: "recovered" })?.context).toEqual({ reason: null });
  });
});

describe("registry", () => {
  const declared = (name: string, enabled: boolean, locked = false): RegisteredCapability => ({
    name,
    version: "1.0.0",
    sha256: "0".repeat(64),
    enabled,
    source: "default",
    locked,
    isolation: "host",
  });
  const declare = (capability: RegisteredCapability): EventObject => ({ type: "declare", capability }) as EventObject;
  const enable = (name: string): EventObject => ({ type: "enable", name }) as EventObject;
  const disable = (name: string): EventObject => ({ type: "disable", name }) as EventObject;
  const loaded = (...events: EventObject[]): AnyMachineSnapshot =>
    run(registryMachine, [
      { type: "load" },
      declare(declared("open", false)),
      declare(declared("locked", false, true)),
      { type: "loaded" },
      ...events,
    ]);

  it("moves by its table alone", () => {
    const events = [
      ...[{ type: "load" }, { type: "loaded" }, declare(declared("open", false))],
      ...[enable("open"), disable("open"), enable("other"), disable("other")],
    ];
    const nameOf = ({ value, context }: AnyMachineSnapshot): string =>
      `${String(value)}:${context.capabilities["open"]?.enabled ?? "-"}`;
    expect(explore(registryMachine, events, nameOf).table).toEqual(
      [
        ["empty:- load loading:-", "loading:- declare loading:false", "loading:- loaded ready:-"],
        ["loading:false declare loading:false", "loading:false loaded ready:false"],
        ["ready:false enable ready:true", "ready:true enable ready:true"],
        ["ready:false disable ready:false", "ready:true disable ready:false"],
      ]
        .flat()
        .sort(),
    );
  });

  it("never enables what the configuration locks, but lets it be disabled", () => {
    const registry = loaded();
    expect(step(registryMachine, registry, enable("locked"))).toBeUndefined();
    const disabled = step(registryMachine, registry, disable("locked"));
    expect(disabled?.context.capabilities.locked).toMatchObject({ enabled: false, locked: true });
    expect(step(registryMachine, disabled ?? registry, enable("locked"))).toBeUndefined();
  });

  it("does nothing for a name that is not registered, an inherited one included", () => {
    for (const name of ["unknown", "", "OPEN", "constructor", "toString", "hasOwnProperty", "__proto__"]) {
      expect(step(registryMachine, loaded(), enable(name)), name).toBeUndefined();
      expect(step(registryMachine, loaded(), disable(name)), name).toBeUndefined();
    }
  });

  it("keeps what operators switched, and marks it as theirs", () => {
    const { context } = loaded(enable("open"));
    expect(context.capabilities["open"]).toMatchObject({ enabled: true, source: "operator" });
    expect(context.overrides).toEqual({ open: true });
    expect(loaded(enable("open"), disable("open")).context.overrides).toEqual({ open: false });
    const [next] = initialTransition(registryMachine, { overrides: context.overrides });
    expect(next.context).toEqual({ capabilities: {}, overrides: { open: true } });
    const told = run(registryMachine, [{ type: "load", overrides: { open: true } } as EventObject]);
    expect(told.context.overrides).toEqual({ open: true });
  });

  it("forgets what an earlier load declared", () => {
    const [first] = initialTransition(registryMachine, undefined);
    const before = { ...first, context: { capabilities: { old: declared("old", true) }, overrides: {} } };
    expect(step(registryMachine, before, { type: "load" })?.context.capabilities).toEqual({});
  });
});

describe.each<[string, AnyStateMachine, string]>([
  ["memory", memoryMachine, MEMORY_VERSION],
  ["registry", registryMachine, REGISTRY_VERSION],
  ["policy", policyMachine, POLICY_VERSION],
  ["observability", observabilityMachine, OBSERVABILITY_VERSION],
])("the machine of %s", (_name, machine, version) => {
  it("has a version, and neither invokes nor waits", () => {
    expect(machine.version).toBe(version);
    expect(version).toMatch(/^\d+$/);
    for (const node of definitions(machine)) expect(node).toEqual({ invoke: 0, after: 0 });
  });

  it("reaches every state that it declares", () => {
    const events = machine.events.map((type) => ({
      type,
      fault,
      reason: "r",
      revision: "a",
      name: "open",
      capability: { name: "open", locked: false },
    }));
    const { snapshots } = explore(machine, events, stateName);
    expect(new Set(snapshots.keys())).toEqual(new Set(Object.keys(machine.states)));
  });
});
