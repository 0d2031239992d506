/** The witnesses that a configuration names, each with its transport. */
import assert from "node:assert/strict";
import { parseWitnessKey } from "@femtoclaw/journal";
import type { Witness } from "@femtoclaw/runtime";
import type { WitnessSetting } from "@femtoclaw/runtime/configuration";
import { CommandWitness } from "./command-witness.ts";
import { FileWitness } from "./file-witness.ts";
import { HttpWitness } from "./http-witness.ts";

export function configuredWitnesses(settings: readonly WitnessSetting[]): readonly Witness[] {
  return settings.map(transportOf);
}

function transportOf(setting: WitnessSetting): Witness {
  switch (setting.kind) {
    case "file":
      return new FileWitness(setting.name, setting.path);
    case "command":
      return new CommandWitness(setting.name, setting.command);
    case "http": {
      const verifier = parseWitnessKey(setting.vkey);
      assert(verifier !== null, "a resolved configuration has a right key");
      return new HttpWitness(setting.name, setting.url, verifier);
    }
  }
}
