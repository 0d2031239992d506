/**
 * Entry point for code that reads public keys of operators and witnesses, or checks signed answers, without a journal.
 */
export { parseOperatorKey } from "./answers/operator-key.ts";
export { answerFault } from "./answers/signed-answer.ts";
export { parseWitnessKey } from "./witness/cosignature.ts";
