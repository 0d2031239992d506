/** Where this process's code is: as sources in a folder, or in an executable that knows how it was built. */
export type OwnCode = { readonly folder: string } | { readonly release: OwnRelease };

export interface OwnRelease {
  /** Public key in PEM whose signature the executable accepts; null if it was built without one. */
  readonly key: string | null;
  /** Digests of its assets. */
  readonly assets: Readonly<Record<string, string>>;
}
