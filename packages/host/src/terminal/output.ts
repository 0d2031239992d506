/** How a command writes: data to stdout, messages to stderr. Colours are used only on a terminal. */
import { styleText } from "node:util";
import { visibleJson } from "@femtoclaw/protocol";

type Style = Parameters<typeof styleText>[0];

export interface Output {
  /** Whether stdout must be machine-readable. */
  readonly json: boolean;
  /** Columns of the terminal; null if there is none. */
  readonly columns: number | null;
  /** Columns of the terminal that the data goes to; null if it goes to none. */
  readonly dataColumns: number | null;
  /** A line of data. */
  line(text: string): void;
  /** One JSON value, on one line. */
  value(value: unknown): void;
  /** A message for the person who runs the command; suppressed by --quiet. */
  talk(text: string): void;
  style(style: Style, text: string): string;
}

export function makeOutput(options: { readonly json: boolean; readonly quiet: boolean }): Output {
  return {
    json: options.json,
    columns: [process.stdout, process.stderr].find(({ isTTY }) => isTTY)?.columns ?? null,
    // A terminal of no known size says that it has none.
    dataColumns: process.stdout.isTTY ? process.stdout.columns || null : null,
    line: (text) => void process.stdout.write(`${text}\n`),
    value: (value) => void process.stdout.write(`${visibleJson(value)}\n`),
    talk: (text) => {
      if (!options.quiet) process.stderr.write(`${text}\n`);
    },
    // `styleText` honours NO_COLOR and omits colour codes if the stream is no terminal.
    style: (style, text) => styleText(style, text, { stream: process.stdout }),
  };
}
