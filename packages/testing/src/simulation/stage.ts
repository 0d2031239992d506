/** What happens to one runtime between its start and its end: requests, cancellations, an operator, and time. */
import { type ApprovalCard, LIMITS, type ProtocolMessage, type Reply } from "@femtoclaw/protocol";
import type { Runtime, Session } from "@femtoclaw/runtime";
import { BEHAVIOURS, TOOLS, type ToolName } from "./capabilities.ts";
import type { Request } from "./oracle.ts";
import { POLICIES } from "./policies.ts";
import { signedAnswer } from "./simulated-operators.ts";
import { turns } from "./simulated-time.ts";
import type { Boot, World } from "./world.ts";

const STEPS = {
  propose: 40,
  wait: 24,
  pass: 10,
  cancel: 6,
  answerQuestion: 14,
  message: 4,
  garbage: 4,
  badArguments: 4,
  openSession: 4,
  closeSession: 3,
  switchCapability: 3,
  checkpoint: 3,
  reload: 2,
  rotateKey: 1,
  setWallClock: 1,
} as const;

const TOOL_WEIGHTS: Readonly<Record<ToolName, number>> = {
  act: 8,
  switched: 4,
  asked: 5,
  agreed: 4,
  unpermitted: 2,
  locked: 1,
  unknown: 1,
};

const GARBAGE: readonly [string, ...string[]] = [
  "",
  "not json",
  '{"tool_call":{"tool":"act","tool":"act","args":{}}}',
  '{"tool_call":{"tool":"act","args":{}},"message":{"content":"both"}}',
  '{"message":{"content":7}}',
  `{"message":{"content":"${"x".repeat(LIMITS.messageBytes)}"}}`,
  `${"[".repeat(100)}${"]".repeat(100)}`,
];

/** State of the world that is known only while nobody is changing it. */
export interface Switch {
  /** Null while a switch is in flight, or if it was when power was cut. */
  isOn: boolean | null;
}

export class Stage {
  readonly #world: World;
  readonly #runtime: Runtime;
  readonly #life: Boot["life"];
  readonly #switch: Switch;
  readonly #sessions: [Session, ...Session[]];
  readonly #pending = new Set<Request>();
  readonly #work = new Set<Promise<unknown>>();
  readonly #executions: { readonly session: Session; readonly id: string }[] = [];

  constructor(world: World, { life }: Boot, runtime: Runtime, switched: Switch) {
    this.#world = world;
    this.#runtime = runtime;
    this.#life = life;
    this.#switch = switched;
    this.#sessions = [runtime.openSession({ channel: "agent" })];
  }

  /** Takes random steps, a random number of them; most leave something in flight. */
  async play(steps: number): Promise<void> {
    for (let step = 0; step < steps; step += 1) {
      await this.#step(this.#world.random.weighted(STEPS));
      this.#world.assertSound();
    }
  }

  /** Waits until every request is answered. */
  async settle(): Promise<void> {
    await this.#world.until(Promise.allSettled(this.#work));
  }

  async #step(step: keyof typeof STEPS): Promise<void> {
    const { random, time } = this.#world;
    switch (step) {
      case "propose":
        return this.#proposeCall(random.weighted(TOOL_WEIGHTS));
      case "message":
        return this.#propose({ message: { content: `message ${random.int(1_000)}` } }, "message");
      case "garbage":
        return this.#propose(Buffer.from(random.pick(GARBAGE)), "garbage");
      case "badArguments":
        return this.#propose({ tool_call: { tool: "act", args: { request: "one" } } }, "DENIED_ARGUMENT_INVALID");
      case "wait":
        return await turns(random.int(6));
      case "pass":
        return time.advance(random.int(400_000));
      case "setWallClock":
        time.wallOffsetUs += (random.int(7_200) - 3_600) * 1_000_000;
        return;
      case "cancel":
        return this.#cancel();
      case "answerQuestion":
        return this.#track(this.#answerQuestion(random.oneIn(4) ? "refused" : "granted", random.oneIn(4)));
      case "openSession":
        this.#sessions.push(this.#runtime.openSession({ channel: "agent", label: `session ${random.int(100)}` }));
        return;
      case "closeSession":
        if (this.#sessions.length > 1) this.#sessions.pop()?.close();
        return;
      case "switchCapability":
        return this.#switchCapability(random.oneIn(2));
      case "checkpoint":
        return this.#track(this.#runtime.checkpoint().then((note) => this.#hold(note)));
      case "reload":
        return this.#track(this.#runtime.reload(POLICIES[random.pick(["asking", "forbidding"])], "simulated operator"));
      case "rotateKey":
        return this.#track(this.#runtime.rotateKey());
    }
  }

  #proposeCall(tool: ToolName): void {
    const { random, requests } = this.#world;
    const how = random.oneIn(3) ? random.pick(BEHAVIOURS) : "succeed";
    const padding = random.oneIn(40) ? "x".repeat(random.int(30_000)) : "";
    // A value too large for a record is expensive to make, so it is chosen less often.
    const chosen = how === "oversized" && !random.oneIn(8) ? "succeed" : how;
    const expected = tool === "switched" && this.#switch.isOn === false ? "DENIED_CAPABILITY_DISABLED" : TOOLS[tool];
    this.#propose({ tool_call: { tool, args: { request: requests + 1, how: chosen, padding } } }, expected);
  }

  #propose(message: ProtocolMessage | Uint8Array, expected: Request["expected"]): void {
    this.#world.requests += 1;
    const session = this.#world.random.pick(this.#sessions);
    const request: Request = { number: this.#world.requests, expected };
    this.#pending.add(request);
    const reply = session.propose(message);
    this.#executions.push({ session, id: this.#world.lastId });
    this.#track(
      reply.then((answer) => {
        this.#answered(request, answer);
        // Nobody waits for this to settle, because an unanswered question outlives the runtime.
        if (answer.status === "pending") void this.#hearOf(request, session, answer.execution_id);
      }),
    );
  }

  /** Notes the final answer; a runtime that stops gives none to what still waits. */
  async #hearOf(request: Request, session: Session, execution: string): Promise<void> {
    await session.wait(execution).then(
      (answer) => this.#answered(request, answer),
      () => undefined,
    );
  }

  #answered(request: Request, reply: Reply): void {
    this.#pending.delete(request);
    if (!this.#life.isOver) this.#world.watch(() => this.#world.oracle.answer(request, reply));
  }

  /** A question that somebody else answers at the same time, or that expires, can no longer be answered. */
  async #answerQuestion(answer: "granted" | "refused", forSession: boolean): Promise<void> {
    const questions = await this.#runtime.approvals.list();
    if (questions.length === 0) return;
    const { random, time } = this.#world;
    const question = random.pick(questions as [ApprovalCard, ...ApprovalCard[]]);
    // If several operators are asked, only signatures count; one who approved already may do so again.
    const isSigned = question.approvers > 1 || random.oneIn(3);
    const scope = forSession && question.approvers === 1 ? "session" : "once";
    if (!isSigned) {
      const { id, digest } = question;
      await this.#runtime.approvals.answer({ id, digest, answer, scope, by: "simulated operator" });
      return;
    }
    const operator = random.oneIn(2) ? 0 : 1;
    const note = signedAnswer(question, { operator, answer, scope, nowUs: time.clock().nowUs() });
    await this.#runtime.approvals.answerSigned(note);
  }

  #cancel(): void {
    const { session, id } = this.#world.random.pick([{ session: this.#sessions[0], id: "none" }, ...this.#executions]);
    session.cancel(id);
  }

  #switchCapability(enable: boolean): void {
    if (this.#switch.isOn === null) return;
    this.#switch.isOn = null;
    // A call that waits for a place may find the tool switched on by the time of its turn.
    for (const request of this.#pending) {
      if (enable && request.expected === "DENIED_CAPABILITY_DISABLED") request.expected = "permitted";
    }
    const switching = this.#runtime.switchCapability({ name: "switched", enabled: enable, by: "simulated operator" });
    this.#track(
      switching.then(() => {
        this.#switch.isOn = enable;
      }),
    );
  }

  #hold(note: string): void {
    if (!this.#life.isOver) this.#world.heldNote = note;
  }

  /** An operator's request may fail together with the journal; a proposal is answered in any case. */
  #track(work: Promise<unknown>): void {
    this.#work.add(work);
    work.then(
      () => this.#work.delete(work),
      () => this.#work.delete(work),
    );
  }
}
