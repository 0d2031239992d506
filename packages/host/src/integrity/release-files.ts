/** The files beside a standalone executable: a manifest of what was built, and the signature over that. */
export interface ReleaseFiles {
  readonly manifest: string;
  readonly signature: string;
}

export function releaseFiles(executable: string): ReleaseFiles {
  return { manifest: `${executable}.manifest.json`, signature: `${executable}.manifest.sig` };
}
