/** Looks at the deployment itself, through its own commands and its own configuration, and changes nothing. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { Deployed } from "../observations.ts";
import { type Command, failed } from "../subject.ts";

export interface DeployedPlace {
  readonly configuration: string;
  readonly environment: NodeJS.ProcessEnv;
}

export async function observeDeployed([file, ...prefix]: Command, place: DeployedPlace): Promise<Deployed> {
  const ask = async <T>(...words: string[]): Promise<{ exit: number | null; value: T }> => {
    const args = [...prefix, "--config", place.configuration, "--json", ...words];
    const child = spawn(file, args, { env: place.environment, stdio: ["ignore", "pipe", "ignore"] });
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    const [exit, signal] = (await once(child, "close")) as [number | null, string | null];
    try {
      return { exit, value: JSON.parse(said) as T };
    } catch {
      throw failed(`\`${words.join(" ")}\` ended with ${exit ?? signal} and printed no JSON`);
    }
  };
  const doctor = await ask<Deployed["findings"]>("doctor");
  const status = await ask<{ deployment?: { configuration: string } | null; remembered?: { fits: boolean } }>("status");
  const verify = await ask<{ verdict?: string; pinned?: string }>("audit", "verify");
  return {
    findings: doctor.value,
    inForce: status.value.deployment?.configuration ?? null,
    onDisk: createHash("sha256").update(readFileSync(place.configuration)).digest("hex"),
    goesOn: status.value.remembered?.fits ?? null,
    verify: { exit: verify.exit, verdict: verify.value.verdict ?? "", pinned: verify.value.pinned ?? "" },
  };
}
