/** What is remembered of what sessions asked, and that nothing is when they are over. */
import { LIMITS } from "@femtoclaw/protocol";
import { expect, it } from "vitest";
import { SessionQuestions } from "../../src/gate/questions/session-questions.ts";

const CALL = ["revision", "digest"] as const;

function setUp() {
  const open = new Set(["open"]);
  const clock = { monotonicUs: () => 0 };
  return { open, asked: new SessionQuestions({ clock, isOpen: (session) => open.has(session) }) };
}

it("a session asks as often as its burst allows", () => {
  const { asked } = setUp();
  const answers = Array.from({ length: LIMITS.approvalBurst + 3 }, () => asked.admit("open"));
  expect(answers.filter((problem) => problem === null)).toHaveLength(LIMITS.approvalBurst);
});

it("a yes for a session counts until the session is over", () => {
  const { asked, open } = setUp();
  asked.admit("open");
  asked.grant("open", ...CALL, 7);
  expect(asked.granted("open", ...CALL)).toBe(7);
  open.delete("open");
  asked.forget("open");
  expect(asked.granted("open", ...CALL)).toBeUndefined();
});

it("a yes that comes when its session is over is not remembered", () => {
  const { asked, open } = setUp();
  asked.admit("open");
  open.delete("open");
  asked.forget("open");
  asked.grant("open", ...CALL, 8);
  expect(asked.granted("open", ...CALL)).toBeUndefined();
});

it("a call that was under way when its session ended may ask, and leaves nothing behind", () => {
  const { asked } = setUp();
  expect(asked.admit("over")).toBeNull();
  asked.grant("over", ...CALL, 9);
  expect(asked.granted("over", ...CALL)).toBeUndefined();
});
