/** Counts words. It runs in the sandbox, and gets what the file holds that its call was decided on. */
import { defineCapability } from "@femtoclaw/capabilities";
import manifest from "./capability.json" with { type: "json" };

export default defineCapability({
  manifest,
  run({ files }) {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(files["/path"]);
    return { words: text.split(/\s+/).filter(Boolean).length };
  },
});
