/** Embeds the runtime: one call is done, one is denied with its rule, and both are in the journal. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRuntime, listExecutions, resolveConfiguration } from "@femtoclaw/runtime";

const home = mkdtempSync(join(tmpdir(), "femtoclaw-example-"));
mkdirSync(join(home, "workspace", "secrets"), { recursive: true });
writeFileSync(join(home, "workspace", "notes.txt"), "buy oat milk\n");
writeFileSync(join(home, "workspace", "secrets", "key.txt"), "do not show me\n");

// The same keys as femtoclaw.toml. What is not named is disabled or denied.
const configuration = resolveConfiguration({
  configuration: {
    workspace: "workspace",
    capabilities: { fs_read: true },
    allow: { read: ["workspace"] },
    deny: { read: ["workspace/secrets"] },
    memory: { path: "state" },
  },
  baseDirectory: home,
  environment: process.env,
});

{
  await using runtime = await createRuntime({ configuration });
  await using session = runtime.openSession({ channel: "library", label: "embed-runtime" });

  for (const path of ["notes.txt", "secrets/key.txt"]) {
    const reply = await session.propose({ tool_call: { tool: "fs_read", args: { path } } });
    const rules = reply.policy?.rules.join(", ") || "no rule";
    const outcome = reply.error?.reason ?? JSON.stringify(reply.result?.["content"]);
    console.log(`${path}: ${reply.decision} by ${rules} (record ${reply.record?.seq}): ${outcome}`);
  }

  const history = await listExecutions(runtime.reader, { limit: 10 });
  console.log(`the journal holds ${history.length} executions in ${runtime.reader.size} records`);
}
rmSync(home, { recursive: true });
