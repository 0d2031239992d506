/** `bench` in the standalone executable, which measures nothing: what it compares with needs a Node.js beside it. */
import { FemtoError } from "@femtoclaw/protocol";

export function bench(): never {
  throw new FemtoError("FEMTO_USAGE", "the standalone executable holds no bench", {
    fix: "Run `npm run bench` in a clone of FemtoClaw.",
  });
}
