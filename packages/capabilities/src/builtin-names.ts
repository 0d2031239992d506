/** The names of the built-in capabilities, in the order in which they are listed, apart from their code. */
export const BUILTIN_NAMES = [
  ...(["fs_list", "fs_read", "fs_stat", "fs_search"] as const),
  ...(["fs_write", "fs_edit", "fs_mkdir", "fs_move", "fs_delete"] as const),
  "net_fetch",
  "process_exec",
  ...(["terminal_open", "terminal_write", "terminal_read", "terminal_resize", "terminal_close"] as const),
] as const;
