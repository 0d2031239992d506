/**
 * Every limit of the protocol and the runtime core, with its unit and its reason. If an operator may change a limit in
 * femtoclaw.toml, this is its default.
 */
export const LIMITS = {
  /** LIMIT: bytes of one protocol message; large enough for a source file as an argument, small enough to hold many. */
  messageBytes: 1_048_576,
  /** LIMIT: nesting of JSON; Cedar traps above about 127, and nothing honest needs more than this. */
  jsonDepth: 32,
  /** LIMIT: nesting of JSON from outside that is parsed at all, to say what is wrong with it. */
  jsonTextDepth: 10_000,
  /** LIMIT: members of all objects and arrays of one message together; bounds the work of one parse. */
  jsonNodes: 65_536,
  /** LIMIT: characters of a refused payload that its record keeps. */
  refusedHeadChars: 512,
  /** LIMIT: characters of a reason in a reply or record; it may quote what was proposed. */
  reasonChars: 1_000,
  /** LIMIT: characters of a label that a client gives itself or one of its calls. */
  labelChars: 128,
  /** LIMIT: bytes of one stored record; the entry bundles of tlog-tiles count a record's bytes in 16 bits. */
  recordBytes: 65_535,
  /**
   * LIMIT: characters of one value of a call within its record; a longer value is stored beside the record, which holds
   * a commitment to it.
   */
  recordedValueChars: 4_096,
  /** LIMIT: bytes of one result as JSON; holds the default output limits even if every character needs an escape. */
  resultBytes: 16_777_216,
  /** LIMIT: records that wait for the group commit; more than this means the disk has stalled. */
  journalQueueRecords: 16_384,
  /** LIMIT: records in one commit group, so that the first of them does not wait for the last. */
  journalGroupRecords: 1_024,
  /** Records between two snapshots of the actors; a restart folds at most about this many. */
  snapshotEveryRecords: 1_000,
  /** LIMIT: executions in the runtime's own stages at once; time inside a capability does not count. */
  concurrency: 64,
  /** LIMIT: calls that wait for admission before further ones are refused. */
  queue: 1_024,
  /** LIMIT: executions whose capability runs at once, over all sessions. */
  effects: 128,
  /**
   * LIMIT: permitted executions whose outcome is not durable yet; twice the effects, because a group of outcomes is
   * synced while the next effects run.
   */
  outcomes: 256,
  /**
   * LIMIT: bytes from which on a result is a large one, and large results of all sessions that are on their way to the
   * journal at once: one is sealed while another one is written. The records of others wait for no more than these.
   */
  largeResultBytes: 65_536,
  largeResults: 2,
  /** LIMIT: bytes of the disk reserve that are kept for each of these outcomes. */
  outcomeBytes: 65_536,
  /**
   * LIMIT: bytes that one session may record before it waits; an agent that thinks between calls records some KiB a
   * second.
   */
  sessionBytes: 1_073_741_824,
  /** Bytes by which that quota refills in a second. */
  sessionBytesPerSecond: 1_048_576,
  /** LIMIT: bytes of records of refused calls of one session, some two hundred ordinary ones, before it is halted. */
  sessionRefusalBytes: 262_144,
  /** Bytes by which that quota refills in a second. */
  sessionRefusalBytesPerSecond: 1_024,
  /**
   * LIMIT: bytes of records of refused calls of all sessions of one principal and door together, as far as no session
   * has earned them; some five hundred ordinary records. Beyond it such sessions enter one at a time.
   */
  newcomerRefusalBytes: 524_288,
  /** Bytes by which that share refills in a second. */
  newcomerRefusalBytesPerSecond: 2_048,
  /** Bytes of records of refused calls that a session earns by each call that ends well, up to its own quota. */
  meritBytesPerCall: 4_096,
  /**
   * LIMIT: bytes of records of refused calls of all sessions, so that connecting anew gains nothing; further ones are
   * only counted.
   */
  refusalBytes: 4_194_304,
  /** Bytes by which that share refills in a second; 5 GiB in a week of nothing but refusals. */
  refusalBytesPerSecond: 8_192,
  /** Default time in milliseconds that one execution may take. */
  timeoutMs: 30_000,
  /**
   * LIMIT: the most milliseconds and output bytes that an operator may grant one execution; the configuration's schema
   * says the same.
   */
  timeoutCeilingMs: 86_400_000,
  outputCeilingBytes: 67_108_864,
  /** Milliseconds between asking a program to end and killing it. */
  graceMs: 2_000,
  /** Default bytes of output kept of one execution. */
  outputBytes: 1_048_576,
  /** LIMIT: characters of a URL; servers take no longer ones either. */
  urlChars: 8_192,
  /** LIMIT: redirects that one net_fetch follows. */
  hops: 5,
  /** LIMIT: hosts with their ports that the programs of one call may want to connect to; each is a record. */
  connectHosts: 64,
  /** LIMIT: addresses of one name that are pinned; the rest are not dialled. */
  hostAddresses: 16,
  /** LIMIT: stored secrets, and characters of one; a shorter one could not be told from ordinary text in an answer. */
  secrets: 256,
  secretChars: 4_096,
  secretCharsMin: 8,
  /** LIMIT: headers of one request, and characters of a value. */
  requestHeaders: 64,
  headerChars: 8_192,
  /** LIMIT: arguments of one program. */
  argvItems: 1_024,
  /**
   * Default bytes of memory of one child: enough for a package manager, a compiler or a test run. A machine with less
   * memory ends a child that asks for more by itself.
   */
  childMemoryBytes: 4_294_967_296,
  /** Default for processes and threads of one child; a large test run has some hundred. */
  childProcesses: 1_024,
  /** Default processor time of one process in milliseconds; its call mostly ends earlier. */
  childCpuMs: 3_600_000,
  /** Default bytes of one file that a child writes. */
  childFileBytes: 4_294_967_296,
  childOpenFiles: 4_096,
  /** Default bytes of `/tmp` of one child, where package managers keep what they fetched. */
  childTemporaryBytes: 1_073_741_824,
  /** LIMIT: programs of one pipeline; each needs a decision and a shell of its own. */
  stages: 16,
  /** LIMIT: symbolic depth of a path; Cedar's ancestor work grows with its square. */
  pathDepth: 64,
  /** LIMIT: bytes of one path, as in the kernel. */
  pathBytes: 4_096,
  /** LIMIT: bytes of one line on a socket: a message in base64 with its envelope. */
  socketLineBytes: 1_572_864,
  /** LIMIT: unanswered requests of one connection. */
  socketPipeline: 1_024,
  /** LIMIT: characters of one list of executions as JSON; results can be large, and a list is one answer. */
  listedChars: 33_554_432,
  /**
   * LIMIT: interrupted executions that wait for an operator's word; beyond this the oldest are dropped. A crash leaves
   * as many as were running, so this holds those of dozens of crashes, and a snapshot can carry it.
   */
  unresolved: 4_096,
  /**
   * LIMIT: histories of ended sessions; beyond this the oldest are dropped. Each takes some 200 bytes of each snapshot.
   * What still runs in a forgotten session begins no further effect.
   */
  endedSessions: 1_024,
  /** LIMIT: sessions open at once, whose histories are all kept; sockets take fewer connections. */
  openSessions: 4_096,
  /** Default milliseconds after which an unanswered question to operators counts as a no. */
  approvalExpiresMs: 3_600_000,
  /** LIMIT: questions of one session that are open at once; a person answers them one by one. */
  approvalsPerSession: 8,
  /** Default for open questions of all sessions together; each takes some 300 bytes of each snapshot. */
  approvals: 256,
  /** LIMIT: questions that one session may ask at once, and how many it may ask again each minute. */
  approvalBurst: 16,
  approvalsPerMinute: 6,
  /** LIMIT: questions of one session that operators refused in a row before it may ask no more. */
  approvalRefusals: 5,
  /**
   * LIMIT: milliseconds for which a signed answer is valid; one that is carried from far away is lost or found after
   * that.
   */
  signedAnswerMs: 86_400_000,
  /** LIMIT: granted calls of one session that are not asked about again. */
  sessionGrants: 256,
  /** LIMIT: bytes of all files that are read for one question, and number of these files. */
  approvalFileBytes: 67_108_864,
  approvalFiles: 16,
  /**
   * LIMIT: bytes of previous content that are kept before a call changes a path. They fit into the message that brings
   * them back, so keeping what was replaced costs the journal no more than what replaced it.
   */
  keptBytes: 524_288,
  /** LIMIT: running terminals of one session, and as many that have ended and can still be read. */
  terminalsPerSession: 4,
  /** LIMIT: running terminals of all sessions; each is a handful of processes. */
  terminals: 32,
  /** LIMIT: bytes of output that wait for their reader before the program is held up. */
  terminalUnreadBytes: 262_144,
  /** LIMIT: bytes of input that wait for a program that does not read; more is refused. */
  terminalInputBytes: 65_536,
  /** LIMIT: bytes that a program may write to its terminal in all; some hours of a screen that changes all the time. */
  terminalOutputBytes: 67_108_864,
  /** LIMIT: columns, and rows, of a terminal. */
  terminalSide: 1_000,
  /** Bytes of the newest output that are kept for operators who look in. */
  terminalScrollBytes: 131_072,
  /** Default milliseconds after which a terminal ends that its session does not use. */
  terminalIdleMs: 600_000,
  /** Default milliseconds after which a terminal ends in any case. */
  terminalTotalMs: 28_800_000,
  /** Milliseconds between two checks whether a terminal may go on. */
  terminalReviewMs: 1_000,
  /** Milliseconds for which output is gathered for one record, and characters after which a record is written early. */
  terminalRecordMs: 1_000,
  terminalRecordChars: 32_768,
  /** LIMIT: tools of one MCP server, and bytes of the definition of one; a server with more is not offered at all. */
  upstreamTools: 256,
  upstreamDefinitionBytes: 32_768,
  /** LIMIT: bytes of the definitions of one server together; all of them are in one answer to a client. */
  upstreamListBytes: 1_048_576,
  /** LIMIT: resources, templates and prompts of one MCP server, each, and bytes of the description of one. */
  upstreamContents: 128,
  upstreamContentBytes: 8_192,
  /** LIMIT: bytes of the descriptions of all resources, of all templates, or of all prompts of one MCP server. */
  upstreamContentsBytes: 262_144,
  /** LIMIT: pins that one record accepts: of all these together, or of the files of a package. */
  upstreamPins: 640,
  /** LIMIT: calls that wait for servers to start; each holds a place in the runtime's own stages. */
  upstreamWaiting: 8,
  /**
   * LIMIT: characters of the name of an offered tool together with its server's; clients put a prefix of their own
   * before it.
   */
  upstreamToolChars: 64,
  /** LIMIT: bytes of one message of an MCP server; a longer one ends the calls that may wait for it. */
  upstreamMessageBytes: 16_777_216,
  /** LIMIT: calls under way at one MCP server. */
  upstreamCalls: 32,
  /** LIMIT: unsolicited messages of an MCP server within ten seconds before it is ended. */
  upstreamUnasked: 1_000,
  /** LIMIT: notices of MCP servers that one session gets at once, and how many more it may get each second. */
  noticeBurst: 200,
  noticesPerSecond: 50,
  /** LIMIT: characters of one line of a server's log, and of one progress message. */
  noticeChars: 2_000,
  progressChars: 200,
  /**
   * LIMIT: log lines of a server that the outcome of one call holds, which are the first ones, and characters of each
   * there.
   */
  recordedNotices: 16,
  recordedNoticeChars: 500,
  /**
   * LIMIT: questions of an MCP server at once, rounds of them in one call, and bytes of one round and of its answers.
   */
  questionsAtOnce: 8,
  questionRounds: 8,
  questionBytes: 32_768,
  answerBytes: 262_144,
  /** LIMIT: tokens that a server may have a client's model write at once. */
  sampledTokens: 4_096,
  /** LIMIT: resources that one session is subscribed to at once, and that all sessions are. */
  subscriptionsPerSession: 32,
  subscriptions: 512,
  /** LIMIT: values of one completion, as in MCP, and characters of one. */
  completions: 100,
  completionChars: 512,
  /** LIMIT: milliseconds for an MCP server to start and say what it offers. */
  upstreamStartMs: 20_000,
  /** Milliseconds between two looks at what an MCP server offers, however often it reports a change. */
  upstreamRelistMs: 5_000,
  /** LIMIT: steps of one check of arguments against the schema of an MCP server; some milliseconds of work. */
  upstreamCheckSteps: 100_000,
  /**
   * LIMIT: connections to one socket that keep their place, and further connections of newcomers, which pass their
   * places on.
   */
  socketConnections: 256,
  socketNewcomers: 16,
  /** LIMIT: restarts of one subsystem within the window before the runtime gives it up. */
  restarts: 3,
  /** Window in milliseconds in which restarts are counted. */
  restartWindowMs: 60_000,
  /** Milliseconds before the first restart of a subsystem; doubles with each further one in the window. */
  restartBackoffMs: 100,
  /**
   * Milliseconds between two checkpoints for the same witness; bounds what the witness has to keep, and the unwitnessed
   * tail.
   */
  witnessPauseMs: 10_000,
  /**
   * LIMIT: milliseconds of one witness for one checkpoint; a slow witness holds nothing up, and counts as one that
   * failed.
   */
  witnessTimeoutMs: 10_000,
  /** Milliseconds before a failed witness is asked again; doubles up to the pause between two checkpoints. */
  witnessRetryMs: 1_000,
  /** LIMIT: milliseconds that a checkpoint may be unwitnessed before calls are refused, if witnesses are required. */
  unwitnessedMs: 60_000,
  /** Milliseconds that a stop gives the witnesses for the last checkpoint. */
  witnessStopMs: 3_000,
  /** Milliseconds that draining waits for running executions before it cancels them. */
  drainMs: 10_000,
} as const;
