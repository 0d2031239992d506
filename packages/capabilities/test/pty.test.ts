/** The program's side of a terminal, as a program finds it when it starts. */
import { constants, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Pty } from "../src/terminal/pty.ts";

test.runIf(process.platform === "linux")(
  "a program waits for what is typed, instead of being told to try again",
  () => {
    const flags = Pty.open({ cols: 80, rows: 24 }, (pty, device) => {
      const found = /^flags:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${device}`, "utf8"))?.[1];
      pty.close();
      return Number.parseInt(found ?? "", 8);
    });
    expect(flags & constants.O_RDWR).toBe(constants.O_RDWR);
    expect(flags & constants.O_NONBLOCK).toBe(0);
  },
);
