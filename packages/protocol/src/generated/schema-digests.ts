// Generated from schemas/ by `npm run generate`. Do not edit.
/** SHA-256 of each schema's file. */
export const SCHEMA_DIGESTS = {
  "approval.schema.json": "0fa717f1d7a9d0dde851654dc8877751c74f180c7ff50d94803ecfec1b9ea1ec",
  "config.schema.json": "20415edd815764aa59dd64f7662889dd170da7e0bc2b6c90cb4cde9e8501766a",
  "facts.schema.json": "cf22fcde87e8ef54d7504faaaadb92b3804c96c3d0e5b0518f44f57a60f10a3b",
  "manifest.schema.json": "038dd120cc51f90cf2237f1b3a0b751566dcf49c43235e0b4413dd6d7ea455a7",
  "message.schema.json": "c352c9cf30f433cb3b8179288c3d5ba192d34ed505324f7f657850a880dbab7c",
  "record.schema.json": "aed489a72ee92ffec01488ae433e99d84c7900e104016e43cbbe1e1b552ffb26",
  "release.schema.json": "9282047017442bcbe4536745c3d57587e6645bdfb804eedaabecdf3cb8dbfa6a",
  "reply.schema.json": "9709c4fae22d72fb17b52e0aefc2f524e34d0cb87fdea9abb4f795263c81eb7b",
  "snapshot.schema.json": "0467077639e871d10b259129e1773a02c2e2d9b74dfaae14da75b0dc8028e612",
} as const;
