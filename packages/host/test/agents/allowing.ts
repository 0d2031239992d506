/** An operator who says yes to whatever is asked while a launched agent works. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Playground } from "../playground.ts";

/** Until the launch has ended; returns how many questions there were. */
export async function allowing(place: Playground): Promise<number> {
  await using operator = await place.operator();
  for (let questions = 0; ; ) {
    const [question] = await operator.approvals();
    if (question !== undefined) {
      await place.run(["approvals", "allow", question.id]);
      questions += 1;
    }
    const launch = (await place.executions()).find(({ tool }) => tool === "agent_run");
    if (launch !== undefined && launch.status !== "pending") return questions;
    await sleep(100);
  }
}
