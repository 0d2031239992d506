/** Entry for whoever reads public keys of operators and witnesses, or checks a signed answer, and needs no journal. */
export { parseOperatorKey } from "./answers/operator-key.ts";
export { answerFault } from "./answers/signed-answer.ts";
export { parseWitnessKey } from "./witness/cosignature.ts";
