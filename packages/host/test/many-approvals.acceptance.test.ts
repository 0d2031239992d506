/** Many questions at once, where an operator lets them: told page by page, there after a restart, and found one by one. */
import type { ApprovalCard, Reply } from "@femtoclaw/protocol";
import { expect, test } from "vitest";
import { CONFIGURATION, Playground, toolCall } from "./playground.ts";

const SESSIONS = 38;
const PER_SESSION = 16;
const ALL = SESSIONS * PER_SESSION;

test("as many wait as the configuration lets, over a restart, and each is answered by itself", async () => {
  const asking = CONFIGURATION.replace('read = ["."]', 'read = ["out"]').replace(
    "[deny]",
    '[ask]\nread = ["many"]\n[deny]',
  );
  await using place = new Playground(`${asking}[approvals]\nat_once = ${ALL}\nper_session = ${PER_SESSION}\n`);
  for (let at = 0; at < PER_SESSION; at += 1) place.write(`p/many/${at}`, `${at}\n`);
  await place.up();
  const asked = (
    await Promise.all(
      Array.from({ length: SESSIONS }, async () => {
        await using client = await place.agent();
        const replies: Reply[] = [];
        for (let at = 0; at < PER_SESSION; at += 1) {
          replies.push(await client.propose(Buffer.from(JSON.stringify(toolCall("fs_read", { path: `many/${at}` })))));
        }
        return replies;
      }),
    )
  ).flat();
  expect(new Set(asked.map(({ status }) => status))).toEqual(new Set(["pending"]));
  expect(await place.propose("fs_read", { path: "many/0" })).toMatchObject({
    error: { code: "FEMTO_APPROVAL_LIMIT", reason: expect.stringContaining(`${ALL} questions wait`) },
  });
  const ids = asked.map(({ approval }) => Number(approval?.id)).sort((one, other) => one - other);

  const shown = async (): Promise<void> => {
    await using operator = await place.operator();
    const page = await operator.approvals();
    expect(page.map(({ id }) => Number(id))).toEqual(ids.slice(0, 256));
    const { value } = await place.json<ApprovalCard[]>(["approvals", "list"]);
    expect(value.map(({ id }) => Number(id))).toEqual(ids);
    const { open } = await operator.watchApprovals(0, 0);
    expect(open?.map(({ id }) => Number(id))).toEqual(ids);
    // What does not wait goes on as ever.
    expect((await place.propose("fs_read", { path: "out" })).error?.code).not.toBe("FEMTO_OVERLOADED");
  };
  await shown();
  await place.down();
  await place.up();
  await shown();

  await using operator = await place.operator();
  const [last] = await operator.approvals(ids.at(-1));
  const { id: approval = "", digest = "", execution_id: execution = "" } = last ?? {};
  expect(Number(approval)).toBe(ids.at(-1));
  await operator.answerApproval({ approval, digest, answer: "granted", scope: "once" });
  await expect.poll(async () => await operator.execution(execution)).toMatchObject({ status: "completed" });
  for (const id of [`0${approval}`, `${approval}.0`, "-1", "NaN", "", "1e3", String(ids.length * 1_000)]) {
    await expect(operator.approval(id)).rejects.toMatchObject({ code: "FEMTO_APPROVAL_NOT_FOUND" });
  }
  using raw = await place.socket("operator");
  for (const from of [-1, "0", 0.5, null]) {
    expect(await raw.ask({ id: 1, verb: "approvals.list", from })).toMatchObject({
      error: { code: "FEMTO_SOCKET_REQUEST" },
    });
  }
});
