/**
 * The thread in which a candidate policy is tried out, and which is thrown away afterwards. A policy that traps, loops
 * or uses up memory here harms no decision.
 */
import assert from "node:assert/strict";
import { parentPort } from "node:worker_threads";
import { errorText, FemtoError } from "@femtoclaw/protocol";
import { openCedar } from "../engine/cedar-instance.ts";
import { createPolicyEngine, type PolicyEngine } from "../engine/engine.ts";
import { readPolicies } from "./read-policies.ts";
import type { TrialAnswer, TrialCall } from "./trial.ts";

assert(parentPort !== null, "this module runs as a worker");
const port = parentPort;
const freshCedar = openCedar();
let engine: PolicyEngine | null = null;

port.on("message", (call: TrialCall) => {
  answer(call).then(
    (value) => port.postMessage({ ok: true, value } satisfies TrialAnswer),
    (error: unknown) => {
      const isKnown = error instanceof FemtoError && error.code === "FEMTO_POLICY_INVALID";
      port.postMessage({ ok: false, isKnown, message: errorText(error) } satisfies TrialAnswer);
    },
  );
});

async function answer(call: TrialCall): Promise<unknown> {
  switch (call.kind) {
    case "read": {
      // Reading gets its own instance, because a trap while reading would leave no instance to go on with.
      const cedar = (await (await freshCedar)()).start();
      const { rules, names, written, findings, warnings } = readPolicies(cedar, call.files, call.actions);
      return { rules, names, written, findings, warnings };
    }
    case "activate": {
      const fresh = await createPolicyEngine();
      fresh.activate(call.policy);
      engine = fresh;
      return null;
    }
    case "decide":
      assert(engine !== null, "a policy is activated before it is asked");
      return engine.decideAll(call.request);
  }
}
