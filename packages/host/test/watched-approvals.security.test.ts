/** Who waits for questions: hears of each change, of nothing twice, costs nothing meanwhile, and is not more than may wait. */
import { once } from "node:events";
import type { ApprovalCard, WatchedQuestions } from "@femtoclaw/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CONFIGURATION, Playground, toolCall } from "./playground.ts";

let place: Playground;
beforeAll(async () => {
  place = new Playground(`${CONFIGURATION}[ask]\nread = ["notes.txt", "other.txt"]\n`);
  place.write("p/other.txt", "others\n");
  await place.up();
});
afterAll(async () => {
  await place[Symbol.asyncDispose]();
});

test("it waits until a question is asked and until it is settled, and tells of nothing where nothing is new", async () => {
  using operator = await place.socket("operator");
  const watch = async (from: number, wait_ms: number): Promise<WatchedQuestions> =>
    (await operator.ask({ id: 1, verb: "approvals.watch", from, wait_ms })).value as WatchedQuestions;
  const before = await watch(0, 10_000);
  expect(before.open).toEqual([]);
  expect(await watch(before.next, 20)).toEqual({ next: before.next, open: null });
  const coming = watch(before.next, 10_000);
  await using client = await place.agent();
  const { approval, execution_id } = await client.propose(
    Buffer.from(JSON.stringify(toolCall("fs_read", { path: "notes.txt" }))),
  );
  const asked = await coming;
  expect(asked.open).toEqual([{ id: approval?.id, granted: 0 }]);
  // Of what changed between two looks none is missed.
  const late = watch(before.next, 10_000);
  expect((await late).open).toEqual(asked.open);
  const settled = watch(asked.next, 10_000);
  await client.cancel(execution_id);
  expect((await settled).open).toEqual([]);
});

test("what it is not asked for is refused, and of those who wait there are no more than may", async () => {
  using operator = await place.socket("operator");
  const verb = "approvals.watch";
  for (const fields of [
    {},
    { from: -1, wait_ms: 0 },
    { from: "0", wait_ms: 0 },
    { from: 0 },
    { from: 0, wait_ms: 10_001 },
  ]) {
    expect(await operator.ask({ id: 1, verb, ...fields })).toMatchObject({ error: { code: "FEMTO_SOCKET_REQUEST" } });
  }
  expect(await operator.ask({ id: 1, verb, from: 0, wait_ms: 0, more: 1 })).toMatchObject({ ok: false });
  using agent = await place.socket("agent");
  expect(await agent.ask({ id: 1, verb, from: 0, wait_ms: 0 })).toMatchObject({
    error: { code: "FEMTO_VERB_UNKNOWN" },
  });
  const { next } = (await operator.ask({ id: 2, verb, from: 0, wait_ms: 0 })).value as WatchedQuestions;
  using crowd = await place.socket("operator");
  crowd.write(`${JSON.stringify({ id: 3, verb, from: next, wait_ms: 10_000 })}\n`.repeat(257));
  const [refused] = await crowd.answers(1);
  expect(refused).toMatchObject({ error: { code: "FEMTO_OVERLOADED" } });
  // Who has left waits no more, and makes room.
  crowd.socket.destroy();
  await expect.poll(async () => (await operator.ask({ id: 4, verb, from: next, wait_ms: 1 })).ok).toBe(true);
});

test("the command says what is asked and what became of it, as values where it is told to, and ends with the host", async () => {
  const words = place.spawn(["approvals", "watch"]);
  const values = place.spawn(["--json", "approvals", "watch"]);
  let [said, told] = ["", ""];
  words.stdout.on("data", (piece) => {
    said += String(piece);
  });
  values.stdout.on("data", (piece) => {
    told += String(piece);
  });
  await using client = await place.agent();
  const propose = (path: string) => client.propose(Buffer.from(JSON.stringify(toolCall("fs_read", { path }))));
  const [first, second] = [await propose("notes.txt"), await propose("other.txt")];
  for (const { approval } of [first, second])
    await expect.poll(() => said).toContain(`question ${approval?.id}  fs_read`);
  await expect.poll(() => told.split("\n").length).toBe(3);
  const cards = told
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as ApprovalCard);
  expect(cards.map(({ id }) => id)).toEqual([first.approval?.id, second.approval?.id]);
  await client.cancel(first.execution_id);
  await expect.poll(() => said).toContain(`question ${first.approval?.id} is settled: `);
  const ended = [words, values].map(async (child) => (await once(child, "close"))[0]);
  expect((await place.run(["down", "--now"])).code).toBe(0);
  expect(await Promise.all(ended)).toEqual([0, 0]);
  expect(said.match(/question \d+ {2}fs_read/g)).toHaveLength(2);
});
