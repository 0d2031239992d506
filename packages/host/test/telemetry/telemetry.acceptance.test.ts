/** Telemetry of a real host: lifecycle and executions arrive, late and over a kill -9 too. */
import { expect, test } from "vitest";
import { freePort, Receiver } from "../../../telemetry/test/receiver.ts";
import { CONFIGURATION, Playground } from "../playground.ts";

interface Replayed {
  readonly actors: { readonly observability: { readonly state: { readonly value: string } } };
}

const withReceiver = (port: number): string => `${CONFIGURATION}[observability]\notlp = "http://127.0.0.1:${port}"\n`;

test("lifecycle and executions of a host arrive as spans while it runs and when it ends", async () => {
  await using receiver = await Receiver.open();
  await using place = new Playground(withReceiver(receiver.port));
  const host = await place.up();
  const done = await place.call("process_exec", { bin: "echo" });
  const denied = await place.call("fs_read", { path: "secrets/token.txt" });
  await expect
    .poll(() => receiver.spans.map(({ attributes }) => attributes["gen_ai.tool.call.id"]))
    .toEqual(expect.arrayContaining([done.value.execution_id, denied.value.execution_id]));
  expect((await place.run(["status"])).stdout).toMatch(/telemetry +exporting to http:\/\/127/);
  host.kill("SIGTERM");
  expect(await host.ended).toBe(0);
  const bootSpans = receiver.spans.filter(({ name }) => name.startsWith("femtoclaw."));
  expect(bootSpans.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["femtoclaw.boot", "femtoclaw.lifecycle idle", "femtoclaw.policy activated"]),
  );
  expect(new Set(bootSpans.map(({ traceId }) => traceId)).size).toBe(1);
  const deniedSpan = receiver.spans.find(
    ({ attributes }) => attributes["gen_ai.tool.call.id"] === denied.value.execution_id,
  );
  expect(deniedSpan?.attributes).toMatchObject({
    "femtoclaw.decision": "DENIED_POLICY_VIOLATION",
    "error.type": "FEMTO_POLICY_FORBIDDEN",
  });
  // The very last records of a host may go out with the next one.
  await place.up();
  await expect.poll(() => receiver.spans.map(({ name }) => name)).toContain("femtoclaw.lifecycle shuttingDown");
});

test("a receiver that is down at start and over a kill -9 gets all of it later, and both is recorded", async () => {
  const port = await freePort();
  await using place = new Playground(withReceiver(port));
  const host = await place.up();
  await place.call("process_exec", { bin: "echo" });
  const observability = async (): Promise<string> =>
    (await place.json<Replayed>(["replay"])).value.actors.observability.state.value;
  await expect.poll(observability).toBe("degraded");
  expect(await place.call("fs_read", { path: "notes.txt" })).toMatchObject({ code: 0 });
  expect(host.log()).toContain('"observability.changed"');
  host.kill("SIGKILL");
  await host.ended;

  await place.up();
  await place.call("process_exec", { bin: "echo" });
  await expect.poll(observability).toBe("degraded");
  await using receiver = await Receiver.open(port);
  await expect.poll(observability).toBe("exporting");
  const executions = (await place.executions()).map(({ execution_id }) => execution_id);
  expect(executions).toHaveLength(3);
  await expect
    .poll(() => receiver.spans.map(({ attributes }) => attributes["gen_ai.tool.call.id"]))
    .toEqual(expect.arrayContaining(executions));
  expect(receiver.spans.filter(({ name }) => name === "femtoclaw.boot")).toHaveLength(2);
  const identities = receiver.spans.map(({ traceId, spanId }) => `${traceId}/${spanId}`);
  expect(new Set(identities).size).toBe(identities.length);
});
