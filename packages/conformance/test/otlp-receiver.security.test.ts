/** What an examined deployment sends can be anything, and ends nobody who examines it. */
import { expect, test } from "vitest";
import { OtlpReceiver } from "../src/otlp-receiver.ts";

test.each(["no telemetry", "null", '{"resourceSpans":7}', '{"resourceSpans":[{}]}'])(
  "%s is refused, and is searched for secrets all the same",
  async (body) => {
    await using receiver = await OtlpReceiver.open();
    const { status } = await fetch(`${receiver.endpoint}/v1/traces`, { method: "POST", body });
    expect(status).toBe(400);
    expect([receiver.spans, receiver.text]).toEqual([[], body]);
  },
);

test("logs and metrics are taken, and hold no span", async () => {
  await using receiver = await OtlpReceiver.open();
  const { status } = await fetch(`${receiver.endpoint}/v1/logs`, { method: "POST", body: '{"resourceLogs":[]}' });
  expect([status, receiver.spans]).toEqual([200, []]);
});
