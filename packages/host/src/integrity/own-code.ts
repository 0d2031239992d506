/** Code of this process: sources in a folder, or an executable that knows how it was built. */
export type OwnCode = { readonly folder: string } | { readonly release: OwnRelease };

export interface OwnRelease {
  /** Public key in PEM whose signature it accepts; null where it was built without one. */
  readonly key: string | null;
  /** Digests of its parts. */
  readonly assets: Readonly<Record<string, string>>;
}
