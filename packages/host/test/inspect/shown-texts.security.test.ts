/**
 * What an agent writes is shown whole or said to be cut, takes no room from anything else, and looks like no present
 * state: a page in front of records and questions that were made for this.
 */
import { join } from "node:path";
import { type Inspection, type Question, serveInspector } from "@femtoclaw/inspector";
import { TilesReader } from "@femtoclaw/journal";
import type { TypedRecord } from "@femtoclaw/protocol";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { goTo, hasBrowser, misplaced, openBrowser, textOf, watchedPage } from "./browser.ts";
import { InspectedWorld } from "./inspected-world.ts";

const GOLDEN = join(import.meta.dirname, "../../../testing/golden/0.18.0/log");
/** The record of a question that the golden log leaves open. */
const OPEN_QUESTION = 449;
/** As long as the name of a tool may be, without a place where it could break. */
const LONG_NAME = "T".repeat(128);
const LINE = `echo ready${" ".repeat(900)}; ${"x".repeat(4_000)}; rm -rf .`;

describe.skipIf(!hasBrowser)("the page", () => {
  let world: InspectedWorld;
  let browser: Browser;
  let records: readonly TypedRecord[];

  beforeAll(async () => {
    world = new InspectedWorld();
    browser = await openBrowser();
    await using reader = await TilesReader.open(GOLDEN);
    const read: TypedRecord[] = [];
    for await (const record of reader.read(0, reader.size)) {
      const isUnknown = record.type === "execution.refused" && record.body.tool === "unknown";
      read.push(isUnknown ? { ...record, body: { ...record.body, tool: LONG_NAME } } : record);
    }
    records = read;
  });

  afterAll(async () => {
    await browser.close();
    await world[Symbol.asyncDispose]();
  });

  const opened = async (name: string, shown: readonly TypedRecord[]): Promise<Page> => {
    const { page } = await watchedPage(browser, "file://");
    await page.goto(`file://${world.page(name, shown, "incomplete")}`);
    await page.waitForSelector(".light.complete");
    return page;
  };

  test("gives a long name no room of anything else, also in a window that is magnified four times", async () => {
    const page = await opened("long-names", records);
    const denied = records.find((record) => "tool" in record.body && record.body.tool === LONG_NAME);
    const views = ["overview", "executions", "approvals", "decisions", "timeline", "supervision", "log"];
    for (const width of [320, 400, 800, 1_280]) {
      await page.setViewportSize({ width, height: 800 });
      for (const view of [...views, `executions/${denied?.execution}`]) {
        await goTo(page, view);
        expect(await misplaced(page), `${view} ${width}`).toEqual([]);
        expect(await page.evaluate('inPage.areWhole(".head .fault")'), `what was found ${view} ${width}`).toBe(true);
      }
      await goTo(page, "decisions");
      expect(await page.evaluate('inPage.areWhole(".decision > .word")'), `verdicts ${width}`).toBe(true);
    }
    await page.context().close();
  });

  test("says of each record what it is about, whatever its number", async () => {
    const page = await opened("about", records);
    await goTo(page, "timeline");
    const about = async (type: string): Promise<string> => {
      await page.evaluate(`inPage.moveTo(${records.find((record) => record.type === type)?.seq})`);
      await page.waitForSelector(`.row.active:has-text("${type}")`);
      return await page.locator(".row.active code").innerText();
    };
    expect(await about("deployment.changed")).toBe("installed → 0.18.0");
    expect(await about("upstream.started")).toBe("golden /usr/bin/golden");
    expect(await about("memory.changed")).toBe("full no space left on device");
    expect(await about("lifecycle.changed")).toBe("integrity.verified → loadingConfiguration");
    // A log of ten million records.
    await page.evaluate('document.querySelector(".row.active .number").textContent = "12345678"');
    expect(await page.evaluate('inPage.areWhole(".row.active .number")')).toBe(true);
    await page.context().close();
  });

  test("calls nothing present that is a recording, and asks for no answer there", async () => {
    const page = await opened("past", records);
    for (const view of ["supervision", "approvals"]) {
      await goTo(page, view);
      expect(await textOf(page)).not.toMatch(/now|answer with|at the newest/);
    }
    expect(await textOf(page)).toContain(`question ${OPEN_QUESTION}`);
    await page.context().close();
  });

  test("shows a question as far as the host tells it, says what is missing, and names the call in the last step", async () => {
    const content = "w".repeat(200_000);
    const asked = {
      bin: "sh",
      argv: ["-c", LINE],
      script: `first line\n${LINE}`,
      content,
      lines: `a\n${content}`,
      [LONG_NAME]: 1,
    };
    const open = records.find(({ seq }) => seq === OPEN_QUESTION)?.execution ?? "";
    await using server = await serveInspector(inspected(records, [questionWith(asked, open)]));
    const { page, faults } = await watchedPage(browser, server.origin);
    await page.goto(server.url);
    await page.waitForSelector(".light.following");
    await goTo(page, "approvals");
    await page.waitForSelector(".card");
    const values = await page.locator(".arguments dd").allInnerTexts();
    expect(values.slice(1, 3).map((text) => text.includes("; rm -rf ."))).toEqual([true, true]);
    for (const text of values.slice(3, 5)) expect(text).toMatch(/… \(20000[02] characters\)"?$/);
    expect(await textOf(page)).not.toContain("cut here");
    expect(await misplaced(page)).toEqual([]);
    // What is decided on is not the word that the agent chose, but what the host found it to be.
    expect((await page.locator(".card > .facts > div").allInnerTexts()).slice(0, 4)).toEqual([
      'program\n"/usr/bin/sh"',
      'is really\n"/usr/bin/dash"',
      'in\n"/tmp/work"',
      'sets\n["LD_PRELOAD"]',
    ]);
    await page.getByRole("button", { name: "Allow once…" }).click();
    expect(await page.innerText("dialog")).toContain("/tmp/femtoclaw-golden/asked/note");
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("does not call somebody else's what is a second tab of the same person", async () => {
    await using server = await serveInspector(inspected(records, []));
    const { page } = await watchedPage(browser, server.origin);
    await page.goto(server.url);
    await page.waitForSelector(".light.following");
    const [tab] = await Promise.all([
      page.context().waitForEvent("page"),
      page
        .locator(".lines a")
        .first()
        .click({ modifiers: ["Control"] }),
    ]);
    await tab.waitForSelector("text=The log is shown in another tab");
    expect(await tab.innerText("body")).not.toContain("somebody else");
    await page.context().close();
  });
});

/** A host that shows these records and asks these questions. */
function inspected(records: readonly TypedRecord[], questions: readonly Question[]): Inspection {
  const { length: size } = records;
  return {
    begin: async () => ({ mode: "live", log: "made", version: "", approve: true, summary: null, verdict: null }),
    records: async (from) => {
      if (from >= size) await new Promise((resolve) => setTimeout(resolve, 1_000));
      return { size, records: records.slice(from, from + 512) };
    },
    status: async () => null,
    body: async () => null,
    explain: async () => null,
    prove: async () => null,
    questions: async () => questions,
    answer: async () => ({ seq: size, complete: true }),
  };
}

const PROGRAM = {
  ...{ kind: "program", program: "/usr/bin/sh", real_path: "/usr/bin/dash", cwd: "/tmp/work" },
  environment: ["LD_PRELOAD"],
};

/** The question that the golden log leaves open, with other arguments. */
function questionWith(args: Question["args"], execution_id: string): Question {
  return {
    ...{
      id: String(OPEN_QUESTION),
      execution_id,
      tool: "process_exec",
      rule: "toml/ask.run.sh/1",
      reason: "it is asked",
    },
    ...{ source: null, session: "", principal: "default", agent: null, channel: "agent", label: null, args },
    ...{
      facts: { questions: [PROGRAM] },
      files: [],
      approvers: 1,
      granted: [],
      digest: "a".repeat(64),
      self_approvable: false,
    },
    ...{ asked_at: "2026-01-01T00:00:00Z", expires_at: "2026-01-01T01:00:00Z" },
  };
}
