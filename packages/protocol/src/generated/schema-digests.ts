// Generated from schemas/ by `npm run generate`. Do not edit.
/** SHA-256 of each schema's file. */
export const SCHEMA_DIGESTS = {
  "approval.schema.json": "2532ef93a6b69c333677620027ea68f97c95867884dedca30588eff5f78cc2aa",
  "config.schema.json": "20415edd815764aa59dd64f7662889dd170da7e0bc2b6c90cb4cde9e8501766a",
  "facts.schema.json": "cf22fcde87e8ef54d7504faaaadb92b3804c96c3d0e5b0518f44f57a60f10a3b",
  "manifest.schema.json": "901f384be70ede24bb1d6d867ffc00e016422ecef1fee825ce49ab6f6adc9e7b",
  "message.schema.json": "b81b7cb8d472f3c34223cb0e3f1f315303254668243574b9277af5d87f752e96",
  "record.schema.json": "aed489a72ee92ffec01488ae433e99d84c7900e104016e43cbbe1e1b552ffb26",
  "release.schema.json": "2efc6956cd87c83ecbeb1a75ce4c2cc751a9eaa3efe1e69e3615ee77c9feb96e",
  "reply.schema.json": "2628464da3413d32182a913504db32344a25d81a4d908bb5cd9a2cd9cbdb8182",
  "snapshot.schema.json": "81d1f3ffcb619d5f23064d062dd98d909850f1391b5530213fcd40641928d1ab",
} as const;
