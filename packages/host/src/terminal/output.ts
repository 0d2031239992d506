/** How a command writes: data to stdout, messages to stderr. Colours are used only on a terminal. */
import { styleText } from "node:util";
import { visibleJson } from "@femtoclaw/protocol";
import { prose } from "./prose.ts";

type Style = Parameters<typeof styleText>[0];

export interface Output {
  /** Whether stdout must be machine-readable. */
  readonly json: boolean;
  /** Columns of the terminal; null if there is none. */
  readonly columns: number | null;
  /** Columns of the terminal that the data goes to; null if it goes to none. */
  readonly dataColumns: number | null;
  /** A line of data, exactly as it is. */
  line(text: string): void;
  /** Data in words, of any number of lines. On a terminal, words that do not fit continue below, from `indent` on. */
  prose(text: string, indent?: number): void;
  /** One JSON value, on one line. */
  value(value: unknown): void;
  /**
   * A message for the person who runs the command; suppressed by --quiet. On a terminal its words continue below. A
   * line that begins with a blank is to be copied, or is laid out already, and stays as it is.
   */
  talk(text: string): void;
  style(style: Style, text: string): string;
}

export function makeOutput(options: { readonly json: boolean; readonly quiet: boolean }): Output {
  const dataColumns = columnsOf(process.stdout);
  return {
    json: options.json,
    columns: [process.stdout, process.stderr].find(({ isTTY }) => isTTY)?.columns ?? null,
    dataColumns,
    line: (text) => void process.stdout.write(`${text}\n`),
    prose: (text, indent) => void process.stdout.write(`${prose(text, dataColumns, indent)}\n`),
    value: (value) => void process.stdout.write(`${visibleJson(value)}\n`),
    talk: (text) => {
      if (options.quiet) return;
      process.stderr.write(`${text.startsWith(" ") ? text : prose(text, columnsOf(process.stderr))}\n`);
    },
    // `styleText` honours NO_COLOR and omits colour codes if the stream is no terminal.
    style: (style, text) => styleText(style, text, { stream: process.stdout }),
  };
}

/** A terminal of no known size says that it has no columns. */
export const columnsOf = ({ isTTY, columns }: NodeJS.WriteStream): number | null => (isTTY ? columns || null : null);
