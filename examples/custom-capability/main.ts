/** Adds a capability of your own: its package is named, its files are accepted, and its calls go through the gate. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRuntime, resolveConfiguration } from "@femtoclaw/runtime";

const home = mkdtempSync(join(tmpdir(), "femtoclaw-example-"));
mkdirSync(join(home, "secrets"));
writeFileSync(join(home, "notes.txt"), "inference proposes and the runtime decides\n");
writeFileSync(join(home, "secrets/token.txt"), "hunter2\n");
const configuration = resolveConfiguration({
  configuration: {
    // What stands in femtoclaw.toml as [capabilities], [allow], [deny] and [memory].
    capabilities: { word_count: { package: join(import.meta.dirname, "word-count") } },
    allow: { read: ["."] },
    deny: { read: ["secrets"] },
    memory: { path: "state" },
  },
  baseDirectory: home,
  environment: process.env,
});
{
  await using runtime = await createRuntime({ configuration });
  await using session = runtime.openSession({ channel: "library", label: "custom-capability" });
  const count = async (path: string): Promise<void> => {
    const { decision, result, error } = await session.propose({ tool_call: { tool: "word_count", args: { path } } });
    console.log(`${decision}: ${error?.reason ?? JSON.stringify(result)}`);
  };
  await count("notes.txt");
  // An operator looks at the files and accepts them, as `femtoclaw capabilities accept word_count` does.
  const [seen] = await runtime.packages.list();
  const files = (seen?.files ?? []).map(({ name, sha256 }) => ({ name, sha256: sha256 ?? "" }));
  await runtime.packages.accept("word_count", files, "an operator");
  await count("notes.txt");
  await count("secrets/token.txt");
}
rmSync(home, { recursive: true });
