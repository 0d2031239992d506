import { expect, onTestFinished, test, vi } from "vitest";
import { Place } from "../src/subject.ts";

test("an executable that cannot be started leaves no timer, which would keep the command alive", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  await using place = new Place(["/no/such/file"], "");
  await expect(place.run(["--version"])).rejects.toThrow("ENOENT");
  await expect(place.up()).rejects.toThrow("ENOENT");
  expect(vi.getTimerCount()).toBe(0);
});

test("a host that never says that it is ready is ended, and its story breaks off", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  await using place = new Place(["/bin/sh", "-c", "exec sleep 1000"], "");
  const up = place.up();
  vi.advanceTimersByTime(3_600_000);
  await expect(up).rejects.toThrow("the host ended with SIGKILL before it was ready");
});
