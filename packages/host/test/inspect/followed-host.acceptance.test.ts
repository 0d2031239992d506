/** The page outlives a restart of its host, and no other log takes the place of the one that it shows. */
import { renameSync } from "node:fs";
import type { RecordPage } from "@femtoclaw/protocol";
import { expect, test } from "vitest";
import { Playground } from "../playground.ts";

test("a page goes on with the next host of its log, and ends where that one has another log", async () => {
  await using place = new Playground();
  await place.up();
  const child = place.spawn(["--json", "inspect"]);
  const told: string[] = [];
  child.stderr.on("data", (chunk: Buffer) => told.push(chunk.toString()));
  const line = await new Promise<string>((resolve) => child.stdout.once("data", (data) => resolve(String(data))));
  const { origin, hash } = new URL((JSON.parse(line) as { readonly url: string }).url);
  const ask = async (path: string, session: string, body?: object): Promise<{ ok: boolean; value: unknown }> => {
    const response = await fetch(`${origin}/v1/${path}`, {
      headers: { authorization: `Bearer ${session}`, origin },
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
    });
    return { ok: response.ok, value: await response.json() };
  };
  const { session } = (await ask("session", "", { ticket: hash.slice(1) })).value as { readonly session: string };
  const { size } = (await ask("records?from=0", session)).value as RecordPage;
  await place.down();
  expect(await ask("records?from=0", session)).toMatchObject({ ok: false });
  await expect.poll(() => told.join("")).toContain("once it is started again, the page goes on by itself");

  await place.up();
  await expect.poll(async () => (await ask(`records?from=${size}`, session)).ok).toBe(true);
  const page = (await ask(`records?from=${size}`, session)).value as RecordPage;
  expect(page.records.map(({ type }) => type)).toContain("boot.started");
  expect(told.join("")).toContain("the host runs again");

  await place.down();
  renameSync(place.state, `${place.state}.moved`);
  const ended = new Promise((resolve) => child.once("close", resolve));
  await place.up();
  expect(await ended).toBe(1);
  expect(told.join("")).toContain("FEMTO_LOG_ROLLED_BACK");
});
