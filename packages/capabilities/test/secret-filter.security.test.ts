/** Secrets of a request in what a host answers, in the spellings that servers and frameworks give text back in. */
import { expect, test } from "vitest";
import { SecretFilter } from "../src/network/secret-filter.ts";

const VALUE = `s3cr3t+/=&<>"'\\x y%~`;
const filter = new SecretFilter(
  new Map([
    ["short", VALUE.slice(0, 9)],
    ["long", VALUE],
    ["plain", "ghp_7731forge7731"],
  ]),
);

const json = JSON.stringify(VALUE);
const percent = [...VALUE].map((character) => `%${character.charCodeAt(0).toString(16)}`).join("");
const entities = (names: Readonly<Record<string, string>>): string =>
  VALUE.replace(/[&<>"']/g, (it) => names[it] ?? it);
const NAMED = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" };

/** What gives text back like that, and how. */
const SPELLINGS: Readonly<Record<string, string>> = {
  "as it is": VALUE,
  "in small letters, as in the name of a host or header": VALUE.toLowerCase(),
  "in capitals": VALUE.toUpperCase(),
  JSON: json,
  "JSON of PHP, with slashes escaped": json.replaceAll("/", "\\/"),
  "JSON of Go, safe in HTML": json.replace(/[&<>]/g, (it) => `\\u00${it.charCodeAt(0).toString(16)}`),
  "JSON in capitals": json.replace(/[&<>=]/g, (it) => `\\u00${it.charCodeAt(0).toString(16).toUpperCase()}`),
  "JSON in JSON": JSON.stringify(json),
  "JSON in JSON in JSON": JSON.stringify(JSON.stringify(json)),
  "a literal of JavaScript": VALUE.replace(/[\\'"&<>]/g, (it) => `\\x${it.charCodeAt(0).toString(16)}`),
  "a URL": encodeURIComponent(VALUE),
  "a URL in small letters": encodeURIComponent(VALUE).replace(/%../g, (it) => it.toLowerCase()),
  "a URL of Python, with slashes": encodeURIComponent(VALUE).replaceAll("%2F", "/").replaceAll("'", "%27"),
  "a whole URL": encodeURI(VALUE),
  "a URL in which everything is escaped": percent,
  "a URL in a URL": encodeURIComponent(percent),
  "a form": new URLSearchParams({ it: VALUE }).toString(),
  "a form in JSON in HTML": JSON.stringify({ it: new URLSearchParams({ it: VALUE }).toString() }).replaceAll(
    '"',
    "&quot;",
  ),
  "HTML with names": entities(NAMED),
  "HTML with numbers": entities({ ...NAMED, '"': "&#34;", "'": "&#039;" }),
  "HTML with hexadecimal numbers": entities({ ...NAMED, '"': "&#x22;", "'": "&#X27;", "<": "&#x00003c;" }),
  "HTML twice": entities(NAMED).replaceAll("&", "&amp;"),
  "JSON in HTML": json.replace(/["'&<>]/g, (it) => `&#${it.charCodeAt(0)};`),
  base64: Buffer.from(VALUE).toString("base64"),
  "base64 of a URL": Buffer.from(VALUE).toString("base64url"),
  "base64 in a URL": encodeURIComponent(Buffer.from(VALUE).toString("base64")),
  "base64 in JSON of PHP": Buffer.from(VALUE).toString("base64").replaceAll("/", "\\/"),
  "base64 of more, one byte before it": Buffer.from(`:${VALUE}`).toString("base64"),
  "base64 of more, two bytes before it": Buffer.from(`u:${VALUE} and more`).toString("base64"),
  "base64 of a header": Buffer.from(`Bearer ${VALUE}\r\n`).toString("base64"),
  hexadecimal: Buffer.from(VALUE).toString("hex"),
  "hexadecimal in capitals": Buffer.from(`x${VALUE}y`).toString("hex").toUpperCase(),
};

test.each(Object.entries(SPELLINGS))("a value as %s is its name again", (_, spelling) => {
  for (const [before, behind] of [
    ["", ""],
    ['{"a": "', '"}'],
    ["%25 \\ ", "%2"],
    ["&", "&am"],
    ["\\u00", "\\u0"],
  ]) {
    const clean = filter.text(`${before}${spelling}${behind}`);
    expect(clean).toContain("[secret long]");
    expect(clean).not.toMatch(/s3cr3t|7333637233/i);
    // Neither is any half of it left, in base64 that has other bytes around it.
    expect(clean).not.toMatch(/czNjcj|NjcjN0|M2NyM3/);
    expect(clean.startsWith(before ?? "")).toBe(true);
    expect(clean.endsWith(behind ?? "")).toBe(true);
  }
});

test("of two values one of which is a part of the other, nothing is left of either", () => {
  const short = VALUE.slice(0, 9);
  expect(filter.text(VALUE)).toBe("[secret long]");
  expect(filter.text(`${short} ${VALUE}`)).toBe("[secret short] [secret long]");
  const both = new SecretFilter(
    new Map([
      ["head", "abcdefghij"],
      ["tail", "efghijklmn"],
    ]),
  );
  expect(both.text("<abcdefghijklmn>")).toBe("<[secret head]>");
});

test("what is no value is left as it came, whatever it looks like", () => {
  const texts = [
    "",
    "%",
    "%2",
    "%zz",
    "\\",
    "\\u0",
    "\\u00g0",
    "&",
    "&#",
    "&#;",
    "&#x;",
    "&#x7",
    "&#999;",
    "&amp",
    "100 %25 + &amp;amp; \\n",
  ];
  for (const text of [...texts, VALUE.slice(1), `${VALUE.slice(0, 8)} ${VALUE.slice(8)}`])
    expect(filter.text(text)).toBe(text);
  const bytes = Buffer.from(Array.from({ length: 512 }, (_, at) => at % 256));
  expect(filter.bytes(bytes)).toEqual(bytes);
});

test("a value is found wherever it stands among bytes that are no text, and they are left", () => {
  const [before, behind] = [Buffer.from([0xff, 0x25, 0x00, 0xc3]), Buffer.from([0xa4, 0x5c])];
  const clean = filter.bytes(Buffer.concat([before, Buffer.from("%67hp_7731forge7731"), behind]));
  expect(clean).toEqual(Buffer.concat([before, Buffer.from("[secret plain]"), behind]));
});

test("lines stay as many as they were, and nothing is found across two of them", () => {
  expect(filter.lines(["a", VALUE, "%0a", "ghp_7731", "forge7731"])).toEqual([
    "a",
    "[secret long]",
    "%0a",
    "ghp_7731",
    "forge7731",
  ]);
  expect(filter.lines([])).toEqual([]);
});
