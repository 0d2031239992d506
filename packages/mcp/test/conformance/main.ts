/**
 * `npm run mcp-conformance`: the official conformance suite of MCP against the product's own server and against a fixture
 * behind the gate, and the inspector's command line, all of them against a real host over loopback.
 */
import { McpPlace } from "../mcp-place.ts";
import { serveFixture } from "./conformance-fixture.ts";
import { GATEWAY_EXEMPTIONS, ownExemptions, REVISIONS } from "./exemptions.ts";
import { Front } from "./front.ts";
import { runInspector } from "./inspector-run.ts";
import { installedSuite } from "./pinned-suite.ts";
import { runSuite } from "./suite-run.ts";
import { Verdicts } from "./verdicts.ts";

const suite = installedSuite();
const verdicts = new Verdicts();

async function ownServer(): Promise<void> {
  await using place = new McpPlace();
  await place.up();
  await using front = await Front.before(await place.http());
  for (const revision of REVISIONS) {
    verdicts.part(`The product's own server, ${revision}`);
    await runSuite({ suite, url: front.url, revision, exemptions: ownExemptions(revision), verdicts });
  }
}

async function gateway(): Promise<void> {
  await using fixture = await serveFixture();
  await using place = new McpPlace(`workspace = "."
[capabilities]
process_exec = true
fs_read = true
[mcp.servers.fixture]
url = "${fixture.url}"
may_ask = ["elicitation", "sampling", "roots"]
[allow]
read = ["."]
run = { echo = ["*"] }
[allow.tools]
"fixture__*" = ["*"]
[memory]
path = "../state"
[host]
runtime_dir = "../run"
`);
  await place.up();
  const http = await place.http();
  await using front = await Front.before(http, "fixture__");
  for (const revision of REVISIONS) {
    verdicts.part(`A fixture behind the gate, ${revision}`);
    await runSuite({ suite, url: front.url, revision, exemptions: GATEWAY_EXEMPTIONS, verdicts });
  }
  verdicts.part("The inspector");
  await runInspector({ suite, place, http, verdicts });
}

await ownServer();
await gateway();
verdicts.tell();
if (!verdicts.isClean) process.exitCode = 1;
