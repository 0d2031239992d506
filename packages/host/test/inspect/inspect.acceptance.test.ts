/** The inspector's page in a real browser, in front of a real host: it shows what the records say, and does nothing else. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TilesReader } from "@femtoclaw/journal";
import type { TypedRecord } from "@femtoclaw/protocol";
import { Projection } from "@femtoclaw/runtime";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { faint, goTo, hasBrowser, litAt, misplaced, openBrowser, textOf, watchedPage } from "./browser.ts";
import { type Inspected, InspectedWorld, multiplied } from "./inspected-world.ts";

const VIEWS = [
  "overview",
  "executions",
  "approvals",
  "decisions",
  "timeline",
  "supervision",
  "supervision/memory",
  "log",
];

describe.skipIf(!hasBrowser)("the inspector's page", () => {
  let world: InspectedWorld;
  let browser: Browser;
  let shown: Inspected;
  let records: readonly TypedRecord[];
  let folder: string;

  beforeAll(async () => {
    world = new InspectedWorld();
    browser = await openBrowser();
    await world.up();
    await world.live();
    shown = await world.inspect();
    ({ records, folder } = await world.exported());
  });

  afterAll(async () => {
    await browser.close();
    await world[Symbol.asyncDispose]();
  });

  test("lights the state of the fold at every record, opens once, and survives a reload", async () => {
    const { page, faults } = await watchedPage(browser, shown.origin);
    await page.goto(shown.url);
    await page.waitForSelector(".light.following");
    expect(new URL(page.url()).hash).toBe("#/");
    const seqs = records.map(({ seq }) => seq);
    const fold = new Projection();
    const expected: Record<string, string[]> = { lifecycle: [], memory: [], policy: [], registry: [] };
    const ofExecutions = new Map<string, (string | null)[]>();
    for (const record of records) {
      fold.apply(record);
      expected["lifecycle"]?.push(fold.phase);
      for (const name of ["memory", "policy", "registry"] as const)
        expected[name]?.push(String(fold.machine(name).value));
      const id = record.execution;
      if (id !== null && !ofExecutions.has(id)) ofExecutions.set(id, Array(record.seq).fill(null));
      for (const [known, states] of ofExecutions) {
        const open = fold.open.get(known) ?? fold.questions.get(known);
        const before = states.at(-1);
        const isOver = before === "completed" || before === "error";
        states.push(open?.at.state ?? (isOver ? before : endOf(record)));
      }
    }
    for (const [name, states] of Object.entries(expected)) {
      await goTo(page, `supervision/${name}`);
      expect(await litAt(page, seqs), name).toEqual(states);
    }
    for (const [id, states] of [...ofExecutions].filter((_, index) => index % 4 === 1)) {
      await goTo(page, `executions/${id}`);
      expect(await litAt(page, seqs), id).toEqual(states);
    }
    await page.reload();
    await page.waitForSelector(".light.following");
    await goTo(page, "overview");
    // Why a call was refused is said where it is listed, and another tab shows that calls wait.
    expect(await textOf(page)).toContain("no rule permits this use of process_exec");
    expect(await page.title()).toBe("(2) overview · FemtoClaw");
    expect(await page.innerText(".tile.denied b")).toBe(String(fold.counters.refused - 1));
    const second = await watchedPage(browser, shown.origin);
    await second.page.goto(shown.url);
    await second.page.waitForSelector("text=This address opens once");
    expect(await second.page.innerText("body")).not.toContain("process_exec");
    expect(faults).toEqual([]);
    // What the second one was refused is an error of its console, and the only one.
    expect(second.faults.filter((fault) => !fault.includes("401"))).toEqual([]);
    await page.context().close();
    await second.page.context().close();
  });

  test("shows the same in an exported file, with nothing out of place, no violation and no request", async () => {
    const file = join(world.root, "for-the-auditor.html");
    expect(await world.run(["inspect", "export", "--html", file])).toMatchObject({ code: 0 });
    expect((await world.run(["inspect", "export", "--html", file])).code).not.toBe(0);
    const live = await world.inspect("--approve");
    const left = await watchedPage(browser, live.origin);
    const right = await watchedPage(browser, `file://${file}`);
    await right.page.context().setOffline(true);
    await Promise.all([left.page.goto(live.url), right.page.goto(`file://${file}`)]);
    await left.page.waitForSelector(".light.following");
    await right.page.waitForSelector(".light.complete");
    const denied = records.findLast(
      (record) => record.type === "execution.refused" && record.body.tool === "process_exec",
    );
    const done = records.findLast(({ type }) => type === "execution.outcome");
    for (const seq of [records.length - 2, denied?.seq ?? 0, 14]) {
      for (const view of ["overview", "executions", "approvals", "decisions", "timeline", "supervision"]) {
        for (const { page } of [left, right]) {
          await page.evaluate(`inPage.moveTo(${seq})`);
          await goTo(page, view);
        }
        const seen = await textOf(left.page);
        await expect.poll(() => textOf(right.page), { message: `${view} at ${seq}` }).toBe(seen);
      }
    }
    await goTo(right.page, `executions/${denied?.execution}`);
    await right.page.evaluate(`inPage.moveTo(${records.length})`);
    await expect.poll(() => textOf(right.page)).toMatch(/DENIED_POLICY_VIOLATION[\s\S]*verified at export/);
    for (const [width, height] of [
      [400, 860],
      [800, 900],
      [1280, 800],
      [1920, 1080],
    ] as const) {
      for (const colorScheme of ["light", "dark"] as const) {
        await left.page.setViewportSize({ width, height });
        await left.page.emulateMedia({ colorScheme });
        await left.page.evaluate(`inPage.moveTo(${records.length})`);
        for (const view of [...VIEWS, `executions/${denied?.execution}`, `executions/${records.at(-1)?.execution}`]) {
          await goTo(left.page, view);
          expect(await misplaced(left.page), `${view} ${width} ${colorScheme}`).toEqual([]);
          expect(await faint(left.page), `${view} ${width} ${colorScheme}`).toEqual([]);
        }
        await goTo(left.page, "executions");
        expect(await left.page.evaluate('inPage.roomOf(".row > code")'), `requests ${width}`).toBeGreaterThan(120);
        await goTo(left.page, `executions/${done?.execution}`);
        await left.page.locator(".waterfall").scrollIntoViewIfNeeded();
        expect(await misplaced(left.page), `the times of a call ${width} ${colorScheme}`).toEqual([]);
      }
    }
    expect(await left.page.locator("main img, main script").count()).toBe(0);
    // An address that is no text leads to the first view, and breaks nothing.
    await left.page.evaluate(`location.hash = "#/executions/%"`);
    await left.page.waitForSelector(".greeting");
    await goTo(left.page, "decisions");
    expect(await textOf(left.page)).toContain("\\u{202e}");
    expect(await textOf(left.page)).not.toMatch(/[\u202e\u0007\u001b]/);
    expect([...left.faults, ...right.faults]).toEqual([]);
    await Promise.all([left, right].map(({ page }) => page.context().close()));
    live.end();
  });

  test("answers a question only where that was asked for, as it was seen, and the call goes on", async () => {
    const asked = records.filter(({ type }) => type === "approval.asked");
    const reading = await world.inspect();
    const only = await watchedPage(browser, reading.origin);
    await only.page.goto(reading.url);
    await goTo(only.page, "approvals");
    await only.page.waitForSelector(".card");
    expect(await only.page.locator(".answer").count()).toBe(0);
    const answering = await world.inspect("--approve");
    const { page, faults } = await watchedPage(browser, answering.origin);
    await page.goto(answering.url);
    await goTo(page, "approvals");
    const [first, second] = asked;
    const card = (record: TypedRecord | undefined) => page.getByRole("article", { name: `question ${record?.seq}` });
    // Whose rights the call has comes first, and text of others is quoted.
    expect(await card(first).textContent()).toMatch(/the principal "default".* through the door "agent"/);
    await card(first).getByRole("button", { name: "Allow once…" }).click();
    await page.screenshot();
    await page.getByRole("button", { name: "Yes, allow it" }).click();
    await card(first).waitFor({ state: "detached" });
    await goTo(page, `executions/${first?.execution}`);
    await page.waitForSelector('[data-lit][data-state="completed"]');
    await goTo(page, "approvals");
    // Somebody else was faster: what was seen is not asked any more, and the page says so.
    await card(second).getByRole("button", { name: "Deny…" }).click();
    expect((await world.run(["approvals", "deny", String(second?.seq)])).code).toBe(0);
    await page
      .getByRole("button", { name: "Yes, deny it" })
      .click({ timeout: 2_000 })
      .catch(() => undefined);
    await page.waitForSelector("text=Nothing waits for you.");
    await page.waitForSelector(".badge", { state: "detached" });
    expect(faults.filter((fault) => !fault.includes("400"))).toEqual([]);
    const answered = (await world.exported()).records.filter(({ type }) => type === "approval.answered");
    expect(answered.map(({ execution, body }) => [execution, (body as { answer: string }).answer])).toEqual([
      [first?.execution, "granted"],
      [second?.execution, "refused"],
    ]);
    await page.context().close();
    await only.page.context().close();
    reading.end();
    answering.end();
  });

  test("opens a recording that was verified, and none that was tampered with", async () => {
    const opened = await world.inspect(folder);
    const { page, faults } = await watchedPage(browser, opened.origin);
    await page.goto(opened.url);
    await page.waitForSelector(".light.complete");
    await goTo(page, "log");
    expect(await textOf(page)).toContain("verified");
    await goTo(page, `executions/${records.find(({ type }) => type === "execution.intent")?.execution}`);
    await expect.poll(() => textOf(page)).toContain(`proved, tree of ${records.length}`);
    expect(faults).toEqual([]);
    await page.context().close();
    opened.end();
    const entries = join(folder, "tile/entries", `000.p/${records.length}`);
    const bytes = readFileSync(entries);
    const forged = Buffer.from(
      bytes.toString("latin1").replace("AUTHORIZED", "AUTHORIZED").replace('"hello"', '"jello"'),
      "latin1",
    );
    writeFileSync(entries, forged);
    expect(await world.run(["inspect", folder])).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("tampered"),
    });
    writeFileSync(entries, bytes.subarray(0, bytes.length - 40));
    expect((await world.run(["inspect", folder])).code).not.toBe(0);
    expect((await world.run(["inspect", "export", folder, "--html", join(world.root, "no.html")])).code).not.toBe(0);
  });

  test("scrolls through ten thousand executions and draws only what is seen; a forged file is called one", async () => {
    const many = multiplied(records, 10_000);
    const file = world.page("many", many);
    const { page, faults } = await watchedPage(browser, `file://${file}`);
    await page.goto(`file://${file}#/executions`);
    await page.waitForSelector(".light.complete");
    expect(await page.getAttribute(".row", "aria-setsize")).toBe("10000");
    expect(await page.locator(".row").count()).toBeLessThan(60);
    // So the scroll bar beside the rows moves no column away from its head.
    expect(await page.evaluate('inPage.keepsGutter(".list") && inPage.keepsGutter(".table-head")')).toBe(true);
    await page.focus(".list");
    await page.keyboard.press("End");
    await page.waitForSelector('.row[aria-posinset="10000"].active');
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Enter");
    await page.waitForSelector('[data-lit][data-state="completed"]');
    // What was chosen is gone with the list, so the next key belongs to what was opened.
    expect(await page.evaluate("document.activeElement.localName")).toBe("main");
    await page.goBack();
    await page.waitForSelector('.row[aria-posinset="9999"].active');
    expect(faults).toEqual([]);
    const outcome = many.findIndex(({ type }) => type === "execution.outcome");
    await page.goto(`file://${world.page("forged", many.toSpliced(outcome, 1).slice(0, 200))}`);
    await page.waitForSelector(".fault");
    expect(await page.innerText(".fault")).toMatch(/record \d+ stands where record \d+ should/);
    await page.context().close();
  });

  test("says of an interrupted execution what to do until it is done, also in a log that continues another", async () => {
    await using reader = await TilesReader.open(join(import.meta.dirname, "../../../testing/golden/0.18.0/log"));
    const all: TypedRecord[] = [];
    for await (const record of reader.read(0, reader.size)) all.push(record);
    const file = world.page("golden", all);
    const { page, faults } = await watchedPage(browser, `file://${file}`);
    await page.goto(`file://${file}`);
    await page.waitForSelector(".light.complete");
    const left = all.filter(({ type }) => type === "execution.interrupted" || type === "execution.inherited");
    expect(left.map(({ type }) => type)).toEqual(["execution.inherited", "execution.interrupted"]);
    for (const { seq, execution } of left) {
      await goTo(page, `executions/${execution}`);
      await page.evaluate(`inPage.moveTo(${seq})`);
      expect(await textOf(page)).toContain(`femtoclaw executions resolve ${execution}`);
    }
    await page.evaluate(`inPage.moveTo(${all.length})`);
    expect(await textOf(page)).toMatch(/An operator said: (?:done|not-done)/);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("shows the date where a time is not of the day of the newest record", async () => {
    const last = records.at(-1);
    const days = records.map((record) => ({ ...record, at: `2026-01-0${record === last ? 2 : 1}T10:11:12.000000Z` }));
    const { page } = await watchedPage(browser, "file://");
    await page.setViewportSize({ width: 800, height: 900 });
    await page.goto(`file://${world.page("days", days as readonly TypedRecord[])}#/timeline`);
    await page.waitForSelector(".light.complete");
    expect(await page.locator(".row.active time").innerText()).toBe("10:11:12");
    expect(await page.locator(".row time").first().innerText()).toBe("01-01 10:11");
    expect(await misplaced(page)).toEqual([]);
    await page.context().close();
  });

  test("does not show the last state of a host that is gone as the present one", async () => {
    const left = await world.inspect("--approve");
    const { page } = await watchedPage(browser, left.origin);
    await page.goto(left.url);
    await page.waitForSelector(".light.following");
    expect(await page.innerText(".greeting")).toMatch(/^Ready\.[\s\S]*now$/);
    left.end();
    await page.waitForSelector(".light.lost");
    expect(await page.innerText(".greeting")).toMatch(/^The host does not answer\.[\s\S]*as the records have it$/);
    expect(await page.innerText(".phase")).toBe("was idle");
    expect(await page.title()).toBe("overview · FemtoClaw");
    await page.context().close();
  });
});

/** What an execution ends as by the record that ends it. */
function endOf(record: TypedRecord): string {
  if (record.type === "message.recorded") return "completed";
  return record.type === "execution.outcome" && record.body.error === undefined ? "completed" : "error";
}
