import { describe, expect, it } from "vitest";
import { seccompFilter } from "../src/seccomp/seccomp.ts";

const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const EPERM = 0x00050001;
const ENOSYS = 0x00050026;
const X86_64 = 0xc000003e;
const ARM64 = 0xc00000b7;

/** What the kernel would do with the program: an interpreter of the five instructions that it uses. */
function verdict(filter: Buffer, call: number, args: readonly number[] = [], architecture = X86_64): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call, 0);
  data.writeUInt32LE(architecture, 4);
  for (const [index, value] of args.entries()) data.writeBigUInt64LE(BigInt(value), 16 + 8 * index);
  let accumulator = 0;
  for (let at = 0; at < filter.length / 8; at += 1) {
    const code = filter.readUInt16LE(at * 8);
    const operand = filter.readUInt32LE(at * 8 + 4);
    const jump = (isTrue: boolean): void => {
      at += filter.readUInt8(at * 8 + (isTrue ? 2 : 3));
    };
    if (code === 0x20) accumulator = data.readUInt32LE(operand);
    else if (code === 0x15) jump(accumulator === operand);
    else if (code === 0x35) jump(accumulator >= operand);
    else if (code === 0x45) jump((accumulator & operand) !== 0);
    else if (code === 0x06) return operand;
    else throw new Error(`unknown instruction ${code}`);
  }
  throw new Error("the program ended without a verdict");
}

describe("seccompFilter", () => {
  const filter = seccompFilter("x64");

  it("lets ordinary calls pass", () => {
    for (const call of [0, 1, 2, 57, 72, 59, 257, 334, 436]) expect(verdict(filter, call)).toBe(ALLOW);
  });

  it.each([
    101, 103, 155, 161, 165, 166, 167, 168, 169, 175, 176, 246, 248, 249, 250, 272, 298, 304, 308, 310, 311, 312, 313,
    317, 320, 321, 323, 425, 426, 427, 428, 429, 430, 431, 432, 433, 438, 442, 467,
  ])("refuses system call %i", (call) => {
    expect(verdict(filter, call)).toBe(EPERM);
  });

  it("kills a call by another architecture's numbers and refuses the x32 interface", () => {
    expect(verdict(filter, 1, [], 0x40000003)).toBe(KILL);
    expect(verdict(filter, 0x40000000 + 101)).toBe(EPERM);
    expect(verdict(filter, 0xffffffff)).toBe(EPERM);
  });

  it("allows sockets of IP only, and looks at the 32 bits that the kernel looks at", () => {
    for (const family of [2, 10, 2 + 2 ** 32]) expect(verdict(filter, 41, [family])).toBe(ALLOW);
    for (const family of [0, 1, 16, 17, 38, 40, 1 + 2 ** 32]) expect(verdict(filter, 41, [family])).toBe(EPERM);
  });

  it("allows pairs of connected sockets of this machine, and no others", () => {
    for (const type of [1, 5, 1 | 0o2000000, 5 | 0o4000]) expect(verdict(filter, 53, [1, type])).toBe(ALLOW);
    for (const type of [2, 3, 10, 2 | 0o2000000, 3 | 0o4000]) expect(verdict(filter, 53, [1, type])).toBe(EPERM);
    for (const family of [0, 2, 16, 30, 40]) expect(verdict(filter, 53, [family, 1])).toBe(EPERM);
  });

  it("refuses to lease files and to hear of changes by a signal", () => {
    for (const command of [1_024, 1_026, 1_040, 1_024 + 2 ** 32]) {
      expect(verdict(filter, 72, [0, command])).toBe(EPERM);
    }
    for (const command of [0, 1, 2, 3, 4, 6, 7, 36, 1_025, 1_030, 1_031, 1_033]) {
      expect(verdict(filter, 72, [1_024, command])).toBe(ALLOW);
    }
  });

  it("refuses to type into a terminal", () => {
    for (const request of [0x5412, 0x541c, 0x5412 + 2 ** 32]) expect(verdict(filter, 16, [0, request])).toBe(EPERM);
    expect(verdict(filter, 16, [0x5412, 0x5401])).toBe(ALLOW);
  });

  it("refuses volumes and snapshots of file systems, and no copy of what is open", () => {
    for (const request of [0x50009401, 0x50009417, 0x5000940e, 0x50009418, 0x5000940f, 0x5000943f, 0x4020bc10]) {
      expect(verdict(filter, 16, [0, request])).toBe(EPERM);
    }
    for (const request of [0x40049409, 0x4020940d, 0xc0189436]) expect(verdict(filter, 16, [0, request])).toBe(ALLOW);
  });

  it("refuses new user namespaces by clone, and makes clone3 unknown", () => {
    expect(verdict(filter, 56, [0x10000000 | 17])).toBe(EPERM);
    expect(verdict(filter, 56, [0x01200011])).toBe(ALLOW);
    expect(verdict(filter, 435)).toBe(ENOSYS);
  });

  it("refuses to make files that run as their owner, and looks at modes only where there are some", () => {
    const [creates, temporary] = [0o101, 0o20200000];
    for (const mode of [0o4755, 0o2755, 0o6000, 0o4000 + 2 ** 32]) {
      for (const [call, at] of [
        ...[[85, 1] as const, [90, 1] as const, [91, 1] as const, [133, 1] as const],
        ...[[259, 2] as const, [268, 2] as const, [452, 2] as const],
      ]) {
        const args = Array.from({ length: at + 1 }, (_, index) => (index === at ? mode : 7));
        expect(verdict(filter, call, args)).toBe(EPERM);
        expect(verdict(filter, call, [...args.slice(0, at), 0o1777])).toBe(ALLOW);
      }
      for (const flags of [creates, temporary]) {
        expect(verdict(filter, 2, [7, flags, mode])).toBe(EPERM);
        expect(verdict(filter, 257, [7, 7, flags, mode])).toBe(EPERM);
        expect(verdict(filter, 257, [7, 7, flags, 0o1777])).toBe(ALLOW);
      }
      expect(verdict(filter, 2, [7, 0o200000, mode])).toBe(ALLOW);
      expect(verdict(filter, 257, [7, 7, 1, mode])).toBe(ALLOW);
    }
    expect(verdict(filter, 437)).toBe(ENOSYS);
  });

  describe("for a child that shares the files of the machine", () => {
    const [IOCTL, FCNTL, SETPGID, SETSID] = [16, 72, 109, 112];
    const filters = (["none", "of the guard", "of the program"] as const).map((own) => seccompFilter("x64", own));
    const all = (call: number, args: readonly number[] = []): number[] =>
      filters.map((one) => verdict(one, call, args));

    it("lets it leave its group only where it may have jobs", () => {
      for (const call of [SETPGID, SETSID]) expect(all(call)).toEqual([EPERM, EPERM, ALLOW]);
      for (const request of [0x540f, 0x5410]) expect(all(IOCTL, [0, request])).toEqual([EPERM, EPERM, ALLOW]);
    });

    it("lets a program ask about its terminal, and never type into it or take others", () => {
      for (const request of [0x5401, 0x5402, 0x5413]) expect(all(IOCTL, [0, request])).toEqual([ALLOW, ALLOW, ALLOW]);
      for (const request of [0x5414, 0x540b, 0x402c542b]) {
        expect(all(IOCTL, [0, request])).toEqual([EPERM, ALLOW, ALLOW]);
      }
      for (const request of [0x5412, 0x541c, 0x541d, 0x5423, 0x540c, 0x540e, 0x5422, 0x5412 + 2 ** 32]) {
        expect(all(IOCTL, [0, request])).toEqual([EPERM, EPERM, EPERM]);
      }
    });

    it("lets no file send signals", () => {
      for (const flags of [0o20000, 0o22002, 0o20000 + 2 ** 32]) {
        expect(all(FCNTL, [0, 4, flags])).toEqual([EPERM, EPERM, EPERM]);
      }
      expect(all(IOCTL, [0, 0x5452])).toEqual([EPERM, EPERM, EPERM]);
      for (const args of [
        [0, 4, 0o4000],
        [0, 2, 0o20000],
        [0o20000, 4, 2],
      ])
        expect(all(FCNTL, args)).toEqual([ALLOW, ALLOW, ALLOW]);
      expect(all(FCNTL, [0, 1_024])).toEqual([EPERM, EPERM, EPERM]);
      // The check of flags leaves other calls to those after it.
      expect(all(101)).toEqual([EPERM, EPERM, EPERM]);
    });
  });

  it("says plainly which processors it knows", () => {
    expect(() => seccompFilter("riscv64")).toThrow(
      expect.objectContaining({ code: "FEMTO_SANDBOX_UNAVAILABLE", fix: "Run FemtoClaw on x86-64 or arm64." }),
    );
  });
});

describe("seccompFilter for arm64", () => {
  const filter = seccompFilter("arm64");
  const on = (call: number, args: readonly number[] = []): number => verdict(filter, call, args, ARM64);

  it("lets ordinary calls pass, also those that have the number of a refused call elsewhere", () => {
    for (const call of [56, 57, 63, 64, 93, 101, 155, 161, 165, 221, 317]) expect(on(call)).toBe(ALLOW);
  });

  it.each([
    39, 40, 41, 51, 97, 104, 105, 106, 116, 117, 142, 217, 218, 219, 224, 225, 241, 265, 268, 270, 271, 272, 273, 277,
    280, 282, 294, 425, 426, 427, 428, 429, 430, 431, 432, 433, 438, 442,
  ])("refuses system call %i", (call) => {
    expect(on(call)).toBe(EPERM);
  });

  it("kills calls of 32 bits and of another processor", () => {
    for (const architecture of [X86_64, 0x40000028, 0xc00000b8])
      expect(verdict(filter, 63, [], architecture)).toBe(KILL);
  });

  it("looks at the arguments that it looks at elsewhere", () => {
    expect([on(198, [2]), on(198, [10]), on(198, [1]), on(198, [16])]).toEqual([ALLOW, ALLOW, EPERM, EPERM]);
    expect([on(199, [1, 1]), on(199, [1, 2]), on(25, [0, 1_030]), on(25, [0, 1_024])]).toEqual([
      ALLOW,
      EPERM,
      ALLOW,
      EPERM,
    ]);
    expect([on(29, [0, 0x5412]), on(29, [0, 0x5401])]).toEqual([EPERM, ALLOW]);
    expect([on(220, [0x10000000 | 17]), on(220, [0x01200011]), on(435), on(437)]).toEqual([
      EPERM,
      ALLOW,
      ENOSYS,
      ENOSYS,
    ]);
    for (const [call, before] of [
      [52, [7]],
      [53, [7, 7]],
      [452, [7, 7]],
      [33, [7, 7]],
      [56, [7, 7, 0o101]],
    ] as const) {
      expect([on(call, [...before, 0o4755]), on(call, [...before, 0o755])]).toEqual([EPERM, ALLOW]);
    }
    expect(on(56, [7, 7, 0, 0o4755])).toBe(ALLOW);
  });

  it("refuses more to a child without namespaces", () => {
    const alone = seccompFilter("arm64", "none");
    for (const call of [154, 157, 198, 52, 54, 88, 5, 26, 194, 180])
      expect(verdict(alone, call, [], ARM64)).toBe(EPERM);
    expect(verdict(alone, 261, [0], ARM64)).toBe(ALLOW);
    expect(verdict(alone, 261, [7], ARM64)).toBe(EPERM);
  });
});
