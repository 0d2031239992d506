/** The pins that an embedder passes to accept something, as they are now. */
import { malformed, printable, requireFields, requireText, type ToolPin } from "@femtoclaw/protocol";

/** Throws FEMTO_SOCKET_REQUEST for anything but a list of pins. */
export function takenPins(pins: readonly ToolPin[]): ToolPin[] {
  if (!Array.isArray(pins)) throw malformed("what is accepted must be a list of pins");
  const names = new Set<string>();
  return pins.map((pin: ToolPin) => {
    requireFields("a pin", pin);
    const { name, sha256 } = pin;
    requireText("name", name);
    requireText("sha256", sha256);
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw malformed("`sha256` must have 64 hexadecimal digits");
    // With two digests for one name, a reader of the record would have to guess which of them counts.
    if (names.has(name)) throw malformed(`${printable(name, 256)} is named twice`);
    names.add(name);
    return { name, sha256 };
  });
}
