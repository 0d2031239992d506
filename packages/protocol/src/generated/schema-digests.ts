// Generated from schemas/ by `npm run generate`. Do not edit.
/** SHA-256 of each schema's file. */
export const SCHEMA_DIGESTS = {
  "config.schema.json": "5f4345a8adf5eb2dd053e990e63eec25587f98257d4245abef90a29c06b120dd",
  "facts.schema.json": "edd2c56515ddd640ffc2face7d123f81263c7603c2e3f2cf18c754d140844798",
  "manifest.schema.json": "e35ac234d7bf168de3672b44d1f7d89564746237ac116440aa9fb0ea81d2a9bb",
  "message.schema.json": "c352c9cf30f433cb3b8179288c3d5ba192d34ed505324f7f657850a880dbab7c",
  "record.schema.json": "9ef5fc1f0e3d8a2e22fbfd7fb19cd7da8f0a31e9dd141f2bb486528e41a918d8",
  "release.schema.json": "9282047017442bcbe4536745c3d57587e6645bdfb804eedaabecdf3cb8dbfa6a",
  "reply.schema.json": "9709c4fae22d72fb17b52e0aefc2f524e34d0cb87fdea9abb4f795263c81eb7b",
  "snapshot.schema.json": "0467077639e871d10b259129e1773a02c2e2d9b74dfaae14da75b0dc8028e612",
} as const;
