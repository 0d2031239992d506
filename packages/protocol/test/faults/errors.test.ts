/** The table of error codes, and what is made of whatever was thrown. */
import { describe, expect, it } from "vitest";
import {
  ERRORS,
  type ErrorCode,
  EXIT,
  errorText,
  FemtoError,
  faultOf,
  systemErrorCode,
  validateReply,
} from "../../src/index.ts";

const TYPES = [
  ...["ProtocolError", "AuthorizationError", "CapabilityError", "MemoryError", "ConfigurationError"],
  ...["RuntimeError", "SystemError"],
];

/** The exit code that scripts lean on for each type; a code of its own stands below. */
const EXIT_OF_TYPE: Readonly<Record<string, number>> = {
  ProtocolError: 65,
  AuthorizationError: 77,
  CapabilityError: 1,
  MemoryError: 70,
  ConfigurationError: 78,
  SystemError: 69,
  RuntimeError: 1,
};
const EXIT_OF_CODE: Partial<Record<ErrorCode, number>> = {
  FEMTO_ARGUMENTS_INVALID: 65,
  FEMTO_FACTS_FAILED: 65,
  FEMTO_JOURNAL_LOCKED: 69,
  FEMTO_JOURNAL_FORMAT: 3,
  FEMTO_SUBSYSTEM_LOST: 2,
  FEMTO_USAGE: 64,
  FEMTO_INTERNAL: 2,
};

describe("the table of errors", () => {
  it("gives each code a type, the exit code of its type, and a full sentence on what to do", () => {
    for (const [code, { type, exit, fix }] of Object.entries(ERRORS)) {
      expect(code).toMatch(/^FEMTO_[A-Z0-9]+(_[A-Z0-9]+)*$/);
      expect(TYPES, code).toContain(type);
      const excepted = EXIT_OF_CODE[code as ErrorCode];
      if (excepted !== undefined) expect(exit, code).toBe(excepted);
      expect(Object.values(EXIT), code).toContain(exit);
      expect(exit, code).not.toBe(EXIT.ok);
      expect(fix, code).toMatch(/^[A-Z`].*\.$/s);
    }
  });

  it("has the exit codes of the types that the command line documents", () => {
    for (const [code, { type, exit }] of Object.entries(ERRORS)) {
      if (code in EXIT_OF_CODE || !/^FEMTO_(PROTOCOL|POLICY_(NO|FOR)|CAPABILITY|FILE|CONFIG|OVERLOADED)/.test(code))
        continue;
      expect(exit, code).toBe(EXIT_OF_TYPE[type]);
    }
  });

  it("has codes alone that replies and records can hold", () => {
    // A record that its own schema refuses closes the journal that holds it.
    for (const [code, { type, fix }] of Object.entries(ERRORS)) {
      const error = { error_type: type, code, reason: "r", fix, timestamp: "2026-01-01T00:00:00.000Z" };
      const reply = { execution_id: "e", status: "error", decision: null, error, record: null };
      expect(validateReply(reply), code).toBe(true);
    }
  });

  it("takes what a system refuses for no fault of FemtoClaw, and everything else for one", () => {
    for (const code of ["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "EIO", "EMFILE", "ENFILE"]) {
      const fault = faultOf(Object.assign(new Error(`${code}: refused, write`), { code }));
      expect(fault).toMatchObject({ code: "FEMTO_SURROUNDINGS", message: `${code}: refused, write` });
      expect(fault.fix, code).toMatch(/^[A-Z`].*\.$/s);
    }
    const own = new FemtoError("FEMTO_DISK_FULL", "the disk is full");
    expect(faultOf(own)).toBe(own);
    for (const thrown of [
      Object.assign(new Error("x"), { code: "ENOTDIR" }),
      new TypeError("x"),
      undefined,
      "ENOSPC",
    ]) {
      expect(faultOf(thrown).code).toBe("FEMTO_INTERNAL");
    }
  });

  it("gives an error its type, exit code and fix", () => {
    const cause = new Error("below");
    const error = new FemtoError("FEMTO_OVERLOADED", "1024 calls are waiting already", { cause });
    expect(error).toMatchObject({ name: "FemtoError", code: "FEMTO_OVERLOADED", type: "SystemError", exit: 69, cause });
    expect(error.fix).toBe(ERRORS.FEMTO_OVERLOADED.fix);
    expect(new FemtoError("FEMTO_OVERLOADED", "x", { fix: "Wait." }).fix).toBe("Wait.");
    expect("cause" in new FemtoError("FEMTO_OVERLOADED", "x")).toBe(false);
  });
});

describe("what was thrown", () => {
  const HOSTILE: readonly unknown[] = [
    Object.create(null),
    {
      toString() {
        throw new Error("no text for you");
      },
    },
    Object.defineProperty(new Error("x"), "message", {
      get() {
        throw new Error("no message for you");
      },
    }),
    Object.assign(new Error("x"), { message: Object.create(null) }),
    new Proxy(new Error("x"), {
      get() {
        throw new Error("no property for you");
      },
    }),
  ];

  it("has a text, even when it resists", () => {
    expect(errorText(new Error("boom"))).toBe("boom");
    expect(errorText("boom")).toBe("boom");
    expect(errorText(undefined)).toBe("undefined");
    expect(errorText(Symbol("s"))).toBe("Symbol(s)");
    expect(errorText(Object.assign(new Error("x"), { message: 42 }))).toBe("42");
    for (const thrown of HOSTILE) expect(errorText(thrown)).toBe("a value that has no text");
  });

  it("has a system code when the system threw it", () => {
    expect(systemErrorCode(Object.assign(new Error("x"), { code: "ENOENT" }))).toBe("ENOENT");
    expect(systemErrorCode(Object.assign(new Error("x"), { code: 5 }))).toBeUndefined();
    const withoutCode = (words: string) => Object.assign(new Error(`, Unknown error: ${words} '/f'`), { code: "" });
    expect(systemErrorCode(withoutCode("Read-only file system"))).toBe("EROFS");
    expect(systemErrorCode(withoutCode("Input/output error"))).toBe("EIO");
    expect(systemErrorCode(withoutCode("Something else"))).toBe("UNKNOWN");
    expect(systemErrorCode({ code: "ENOENT" })).toBeUndefined();
    expect(systemErrorCode(null)).toBeUndefined();
  });
});
