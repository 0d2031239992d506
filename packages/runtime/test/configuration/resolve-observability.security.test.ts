/** Addresses of metrics and health that would let others ask than were meant. */
import { expect, it } from "vitest";
import { temporaryHome } from "../runtime-fixture.ts";

const observability = (table: object) => temporaryHome().configuration({ observability: table });

it.each([
  ["127.0.0.1:9464", { host: "127.0.0.1", port: 9_464 }],
  ["127.9.9.9:1", { host: "127.9.9.9", port: 1 }],
  ["[::1]:65535", { host: "::1", port: 65_535 }],
  ["[0:0:0:0:0:0:0:1]:9464", { host: "::1", port: 9_464 }],
])("takes %s", (written, address) => {
  expect(observability({ prometheus: written })).toMatchObject({ prometheus: address });
  expect(observability({ health: written })).toMatchObject({ health: address });
});

it.each([
  ...["127.0.0.1", ":9464", "9464", "localhost:9464", "example.com:9464", "127.0.0.1:0", "127.0.0.1:65536", ""],
  ...["127.1:9464", "2130706433:9464", "0x7f.0.0.1:9464", "0177.0.0.1:9464", "127.0.0.256:9464", "127.0.0.1:9464/x"],
  ...["http://127.0.0.1:9464", "127.0.0.1 :9464", "::1:9464", "[::1%lo]:9464", "[127.0.0.1]:9464", "127.0.0.1:-1"],
])("refuses %s, which is no address", (written) => {
  expect(() => observability({ prometheus: written })).toThrow(/expected an address such as 127\.0\.0\.1:9464/);
});

it.each(["0.0.0.0:9464", "[::]:9464", "192.168.1.7:9464", "[::ffff:10.0.0.1]:9464", "128.0.0.1:1"])(
  "takes %s only together with the names by which others ask",
  (written) => {
    expect(() => observability({ health: written })).toThrow(/of this machine alone; `hosts` names who else may ask/);
    const hosts = ["Host-7.internal:9464"];
    expect(observability({ health: written, hosts })).toMatchObject({ endpointHosts: ["host-7.internal:9464"] });
  },
);

it.each([[[]], [["a b"]], [["a\n"]], [["*"]], [["http://a"]], [["a:999999"]]])("refuses the names %j", (hosts) => {
  expect(() => observability({ health: "0.0.0.0:1", hosts })).toThrow();
});

it("changes no digest where none is asked for", () => {
  const home = temporaryHome();
  const { sha256, ...rest } = home.configuration({});
  expect(home.configuration({ observability: {} }).sha256).toBe(sha256);
  expect(Object.keys(rest)).not.toContain("prometheus");
  expect(home.configuration({ observability: { health: "127.0.0.1:1" } }).sha256).not.toBe(sha256);
});
