/** A real host under a real Prometheus: what it scrapes is sound, goes on over a kill, and is out of reach for programs. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { freePort, Receiver } from "../../../telemetry/test/receiver.ts";
import { CONFIGURATION, Playground } from "../playground.ts";

/** Debian's package; `.ci/run` installs it, and elsewhere what needs it is left out. */
const hasPrometheus = existsSync("/usr/bin/promtool") || process.env["CI"] !== undefined;

interface Fixture extends AsyncDisposable {
  readonly place: Playground;
  readonly receiver: Receiver;
  readonly port: number;
  readonly url: string;
}

async function fixture(): Promise<Fixture> {
  const port = await freePort();
  const receiver = await Receiver.open();
  const address = `127.0.0.1:${port}`;
  const place = new Playground(
    `${CONFIGURATION.replace('echo = ["*"]', 'echo = ["*"], bash = [{ any = true, unsafe = true }]')}` +
      `[observability]\notlp = "${receiver.endpoint}"\nprometheus = "${address}"\nhealth = "${address}"\n`,
  );
  return {
    place,
    receiver,
    port,
    url: `http://${address}`,
    [Symbol.asyncDispose]: async () => {
      await place[Symbol.asyncDispose]();
      await receiver[Symbol.asyncDispose]();
    },
  };
}

const metric = (text: string, start: string): number =>
  text
    .split("\n")
    .filter((line) => line.startsWith(start))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);

test("metrics and health are served, go on over a kill, and are told of by status and doctor", async () => {
  await using all = await fixture();
  const { place, receiver, port, url } = all;
  const scrape = async (): Promise<string> => await (await fetch(`${url}/metrics`)).text();
  const host = await place.up();
  expect(await (await fetch(`${url}/readyz`)).json()).toMatchObject({ ready: true, phase: "idle" });
  expect((await fetch(`${url}/livez`)).status).toBe(200);
  await place.propose("fs_read", { path: "notes.txt" });
  await place.propose("fs_read", { path: "secrets/token.txt" });
  const done = 'femtoclaw_executions_total{gen_ai_tool_name="fs_read",femtoclaw_status="completed"';
  await expect.poll(async () => metric(await scrape(), done)).toBe(1);
  const denied = 'femtoclaw_denials_total{femtoclaw_rule_kind="deny",error_type="FEMTO_POLICY_FORBIDDEN"} 1\n';
  expect(await scrape()).toContain(denied);

  await place.propose('no\nsuch"tool\\', {});
  if (hasPrometheus) await underPrometheus(all);

  // A program is in a network of its own, and a capability goes to no address of this machine that is not listed.
  const words = ["-c", `exec 3<>/dev/tcp/127.0.0.1/${port} && echo reached`];
  const tried = await place.propose("process_exec", { bin: "bash", argv: words });
  expect(tried).toMatchObject({ status: "completed", result: { exit_code: 1, stdout: "" } });

  expect((await place.run(["status"])).stdout).toMatch(
    new RegExp(`traces +all sent\\n.*\\n.*\\nmetrics +${url}/metrics\\nhealth +${url}/livez`),
  );
  const { value: findings } = await place.json<{ check: string; verdict: string; detail: string }[]>(["doctor"]);
  expect(findings.find(({ check }) => check === "telemetry")).toMatchObject({
    verdict: "ok",
    detail: `${receiver.endpoint}, ${url}; only this machine may ask`,
  });
  host.kill("SIGKILL");
  await host.ended;

  const next = await place.up();
  await expect.poll(async () => metric(await scrape(), done)).toBe(1);
  const text = await scrape();
  expect([metric(text, "femtoclaw_boots_total"), metric(text, "femtoclaw_boots_total{femto")]).toEqual([2, 2]);
  expect(text).toContain('femtoclaw_boots_total{femtoclaw_boot_previous_end="crash"} 1\n');
  for (const secret of ["notes.txt", "token.txt", "hunter2", "some notes", place.root]) {
    expect([
      secret,
      text.includes(secret),
      receiver.logs.some((line) => JSON.stringify(line.attributes).includes(secret)),
    ]).toEqual([secret, false, false]);
  }
  // Reachable until the end, and ready no more.
  next.kill("SIGTERM");
  expect(await next.ended).toBe(0);
  await expect(fetch(`${url}/livez`)).rejects.toThrow();
  expect(receiver.metric("femtoclaw.executions")).toBe(4);
  const events = receiver.logs.map(({ event }) => event);
  for (const event of ["started", "ready", "restarted", "execution.refused", "draining"]) {
    expect(events).toContain(`femtoclaw.${event}`);
  }
  expect(receiver.faults).toEqual([]);
});

/** Looks at the host with Prometheus' own tool, and lets a Prometheus scrape it. */
async function underPrometheus({ place, port, url }: Fixture): Promise<void> {
  const text = await (await fetch(`${url}/metrics`)).text();
  expect(execFileSync("/usr/bin/promtool", ["check", "metrics"], { input: text, encoding: "utf8" })).toBe("");
  const configuration = place.write(
    "prometheus.yml",
    `global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs: [{ job_name: femtoclaw, static_configs: [{ targets: ["127.0.0.1:${port}"] }] }]\n`,
  );
  const web = await freePort();
  const prometheus = spawn(
    "/usr/bin/prometheus",
    [
      `--config.file=${configuration}`,
      `--storage.tsdb.path=${join(place.root, "tsdb")}`,
      `--web.listen-address=127.0.0.1:${web}`,
    ],
    { stdio: "ignore" },
  );
  const ended = once(prometheus, "close");
  try {
    const query = async (expression: string): Promise<unknown[]> => {
      const answer = await fetch(`http://127.0.0.1:${web}/api/v1/query?query=${encodeURIComponent(expression)}`);
      const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } };
      return data.result.map(({ value }) => value[1]);
    };
    await expect.poll(() => query("femtoclaw_ready").catch(() => null)).toEqual(["1"]);
    expect(await query("sum(femtoclaw_executions_total)")).toEqual([
      String(metric(text, "femtoclaw_executions_total")),
    ]);
    expect(await query('count({__name__=~"femtoclaw_.*"}) > 20')).toHaveLength(1);
  } finally {
    prometheus.kill("SIGKILL");
    await ended;
  }
}
