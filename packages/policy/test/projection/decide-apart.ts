/** A process of its own that decides what it reads: rules and requests as JSON from stdin, decisions to stdout. */
import { text } from "node:stream/consumers";
import { createPolicyEngine, type DecisionRequest, DecisionShare } from "../../src/index.ts";
import { handwritten } from "../policy-fixture.ts";

const { rules, requests } = JSON.parse(await text(process.stdin)) as {
  readonly rules: Readonly<Record<string, string>>;
  readonly requests: readonly DecisionRequest[];
};
const engine = await createPolicyEngine();
engine.activate(handwritten(rules));
engine.project();
const share = new DecisionShare();
process.stdout.write(JSON.stringify(requests.map((request) => engine.decide({ ...request, share }))));
