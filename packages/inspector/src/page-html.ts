/** The page as one self-contained document: script, style and, in an exported file, its data. */
import { createHash } from "node:crypto";
import { CHARTS } from "./generated/charts.ts";
import { PAGE_SCRIPT, PAGE_STYLE } from "./generated/page.ts";

export interface PageOptions {
  readonly title: string;
  /** JSON that the page shows; absent if the page asks a server. */
  readonly data?: string;
}

/** Wherever the page is opened, only this very script and style may act. */
export function contentPolicy(connect: "'self'" | "'none'"): string {
  return [
    "default-src 'none'",
    `script-src ${hashOf(PAGE_SCRIPT)}`,
    `style-src ${hashOf(PAGE_STYLE)}`,
    "img-src data:",
    `connect-src ${connect}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

export function pageHtml({ title, data }: PageOptions): string {
  const policy = contentPolicy(data === undefined ? "'self'" : "'none'");
  // INVARIANT: I8: no character of the data can end the element that contains it.
  const block = (id: string, json: string): string =>
    `<script type="application/json" id="${id}">${inert(json)}</script>\n`;
  const blocks = block("charts", JSON.stringify(CHARTS)) + (data === undefined ? "" : block("data", data));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${escaped(title)}</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<div id="page"></div>
<noscript>This page needs JavaScript. It asks nobody but the program that served it.</noscript>
${blocks}<script>${PAGE_SCRIPT}</script>
</body>
</html>
`;
}

const hashOf = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

const inert = (json: string): string => json.replaceAll(/[<>&\u2028\u2029]/g, escapeSequence);

const escapeSequence = (character: string): string =>
  `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`;

const escaped = (text: string): string =>
  text.replaceAll(/[^\x20-\x7e]|[<>&"']/g, (character) => `&#${character.codePointAt(0)};`);
