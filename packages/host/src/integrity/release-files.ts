/** What lies beside a standalone executable: what was built, and who says so. */
export interface ReleaseFiles {
  readonly manifest: string;
  readonly signature: string;
}

export function releaseFiles(executable: string): ReleaseFiles {
  return { manifest: `${executable}.manifest.json`, signature: `${executable}.manifest.sig` };
}
