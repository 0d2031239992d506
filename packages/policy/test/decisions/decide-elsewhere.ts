/**
 * A process of its own that decides what it reads from stdin: policies with requests. With the argument
 * `reverse` the rules of each policy, the policies and the requests come in the other order.
 */
import { text } from "node:stream/consumers";
import {
  type CompiledPolicy,
  createPolicyEngine,
  type Decision,
  type DecisionRequest,
  NO_HISTORY,
} from "../../src/index.ts";

interface Trial {
  readonly policy: CompiledPolicy;
  readonly requests: readonly DecisionRequest[];
}

const turned = process.argv.includes("reverse")
  ? <T>(list: readonly T[]): T[] => list.toReversed()
  : <T>(list: readonly T[]): T[] => [...list];

const trials = JSON.parse(await text(process.stdin)) as Trial[];
const engine = await createPolicyEngine();
const decisions: Decision[][] = turned(trials).map(({ policy, requests }) => {
  engine.activate({ ...policy, rules: turned(policy.rules) });
  return turned(turned(requests).map((request) => engine.decide({ ...request, history: NO_HISTORY })));
});
process.stdout.write(JSON.stringify(turned(decisions)));
