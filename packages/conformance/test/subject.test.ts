import { expect, onTestFinished, test, vi } from "vitest";
import { Place } from "../src/subject.ts";

test("an executable that cannot be started leaves no timer, which would keep the command alive", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  await using place = new Place(["/no/such/file"], "");
  await expect(place.run(["--version"])).rejects.toThrow("ENOENT");
  expect(vi.getTimerCount()).toBe(0);
});
