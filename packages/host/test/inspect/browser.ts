/** A real Chromium that tells what a page tried: violations of its policy, requests elsewhere, errors. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";

const CHROMIUM = "/usr/bin/chromium";

/** Under CI a missing browser is a failure; elsewhere it is a reason to leave these tests out. */
export const hasBrowser = existsSync(CHROMIUM) || process.env["CI"] === "true";

export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update"],
      "--disable-background-networking",
      // A name of somebody else's that leads to this machine, as DNS rebinding has it.
      "--host-resolver-rules=MAP evil.test 127.0.0.1",
    ],
  });
}

export interface WatchedPage {
  readonly page: Page;
  /** What a page must never do. */
  readonly faults: string[];
}

export async function watchedPage(browser: Browser, origin: string): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  await context.addInitScript({ path: join(import.meta.dirname, "in-page.js") });
  context.setDefaultTimeout(120_000);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !url.startsWith("data:")) faults.push(`request to ${url}`);
  });
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") faults.push(message.text());
  });
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("dialog", (dialog) => {
    faults.push(`dialog ${dialog.message()}`);
    void dialog.dismiss();
  });
  return { page, faults };
}

export async function goTo(page: Page, place: string): Promise<void> {
  await page.evaluate(`inPage.goTo(${JSON.stringify(place)})`);
}

/** Moves the slider and gives what is lit then, for each record. */
export async function litAt(page: Page, seqs: readonly number[]): Promise<(string | null)[]> {
  return (await page.evaluate(`inPage.litAt(${JSON.stringify(seqs)})`)) as (string | null)[];
}

/** Texts that lie over each other, or outside of what they stand in or of the window. */
export async function misplaced(page: Page): Promise<string[]> {
  return (await page.evaluate("inPage.misplaced()")) as string[];
}

/** Texts with too little contrast to what is behind them. */
export async function faint(page: Page): Promise<string[]> {
  return (await page.evaluate("inPage.faint()")) as string[];
}

/** What a person reads in the view. */
export async function textOf(page: Page): Promise<string> {
  return await page.innerText("main");
}
