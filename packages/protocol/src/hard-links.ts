/** Some file systems, such as FAT, give a file only one name. */
import { systemErrorCode } from "./errors.ts";

/** Whether a second name for a file was refused because the file system has none to give. */
export function hasNoHardLinks(error: unknown): boolean {
  return /^(?:EPERM|ENOTSUP|EOPNOTSUPP|ENOSYS|EMLINK)$/.test(systemErrorCode(error) ?? "");
}
