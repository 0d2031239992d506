/** Cedar files about hosts: what they may name, what binds a permit, and what they cannot lift. */

import { describe, expect, it } from "vitest";
import { builtinCapabilities } from "../../../capabilities/src/builtin.ts";
import { compilePolicy, createPolicyEngine, NO_HISTORY } from "../../src/index.ts";
import { authorityOf, hostFacts } from "../policy-fixture.ts";
import { findings, load, shareTrial } from "./files-fixture.ts";

shareTrial();

const manifests = builtinCapabilities.map(({ manifest }) => manifest);
const permit = (condition: string, resource = "resource") =>
  `@id("a") permit (principal, action == Action::"net_fetch", ${resource})${condition === "" ? "" : ` when { ${condition} }`};`;

describe("a policy about hosts", () => {
  it.each([
    ["the host with its port", permit("", 'resource == Host::"example.com:443"')],
    ["one of several hosts", permit('[Host::"a.test:443", Host::"b.test:8443"].contains(resource)')],
    ["the name as a fact", permit('context.host == "example.com" && context.method == "GET"')],
    ["an address as a fact", permit('context.host == "a.test" && context.addresses.contains("2606:4700::1111")')],
    ["an IPv6 address", permit("", 'resource == Host::"[2606:4700::1111]:443"')],
    ["any host, and says so", permit("").replace("permit", '@unsafe("a test") permit')],
  ])("is taken that names %s", async (_what, text) => {
    expect(await findings(text, { manifests })).toBeNull();
  });

  it.each([
    ["no host", permit(""), "bind the resource"],
    ["a pattern alone", permit('context.host like "*.example.com"'), "bind the resource"],
    ["no port", permit("", 'resource == Host::"example.com"'), "a host stands with its port"],
    ["capitals", permit("", 'resource == Host::"Example.com:443"'), "write that"],
    ["a short address", permit("", 'resource == Host::"127.1:80"'), "never matches"],
    ["a port in a fact", permit('context.host == "example.com:443"'), "never holds"],
    ["a method in small letters", permit('context.host == "a.test" && context.method == "post"'), 'never holds "post"'],
    ["a path without a slash", permit('context.host == "a.test" && context.path == "v1"'), 'never holds "v1"'],
    ["a scheme that is none", permit('context.host == "a.test" && context.scheme == "ftp"'), 'never holds "ftp"'],
    ["a bracket", permit('context.host == "a.test" && context.addresses.contains("[::1]")'), 'never holds "[::1]"'],
    ["zeros", permit('context.host == "a.test" && context.addresses.contains("0:0::1")'), 'never holds "0:0::1"'],
    ["a network that is none", permit('context.host == "a.test" && context.network == "internal"'), "never holds"],
  ])("is refused that names %s", async (_what, text, expected) => {
    expect((await findings(text, { manifests }))?.join()).toContain(expected);
  });

  it("about connections of programs reads what is there of a connection", async () => {
    const connect = [
      { hosts: "one", host: "a.test", port: null, program: "/usr/bin/git", realPath: "/usr/bin/git", source: "s" },
    ] as const;
    const options = { manifests, authority: { ...authorityOf(), connect } };
    const about = (condition: string) =>
      findings(
        `@id("a") forbid (principal, action == Action::"process_connect", resource) when { ${condition} };`,
        options,
      );
    expect(await about('context.scheme == "tunnel" && context.method == "CONNECT" && context.path == ""')).toBeNull();
    expect(await about('context.program == "/usr/bin/git"')).toBeNull();
    expect((await about('context.program == "git"'))?.join()).toContain('never holds "git"');
  });

  it("cannot lift the floor, nor have a name looked up that no entry lists", async () => {
    const { rules } = await load(permit("").replace("permit", '@unsafe("a test") permit'), { manifests });
    const engine = await createPolicyEngine();
    engine.activate(compilePolicy({ authority: authorityOf(), manifests, fileRules: rules }));
    const decide = (network: "public" | "loopback" | "metadata" | "unresolved") =>
      engine.decide({
        principal: "default",
        capability: "net_fetch",
        history: NO_HISTORY,
        question: hostFacts("a.test", 443, { addresses: [], network }),
      });
    expect(decide("public").allowed).toBe(true);
    expect(decide("loopback").rules).toEqual(["floor/private-address"]);
    expect(decide("metadata").rules).toEqual(["floor/special-address"]);
    expect(decide("unresolved").rules).toEqual(["floor/unlisted-host"]);
  });
});
