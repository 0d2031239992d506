/** Where the code of this process comes from, in the standalone executable. */
import type { OwnCode } from "./integrity/own-code.ts";

/** Defined by the build. */
declare const FEMTOCLAW_RELEASE_KEY: string | null;
declare const FEMTOCLAW_ASSETS: Readonly<Record<string, string>>;

export const OWN_CODE: OwnCode = { release: { key: FEMTOCLAW_RELEASE_KEY, assets: FEMTOCLAW_ASSETS } };
