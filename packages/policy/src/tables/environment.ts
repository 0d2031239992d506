/**
 * Variables through which a caller could choose what code a permitted program runs. A call never sets them, whatever
 * the operator lists. Children may still inherit the operator's own values.
 */

/**
 * In upper case. `*` stands for any text: the rest of the name at the end, the name of any program at the beginning.
 */
const NEVER_SET = `
  PATH HOME SHELL ENV IFS CDPATH PS4 XDG_* LD_* DYLD_* GLIBC_* GCONV_PATH LOCPATH NLSPATH MALLOC_*
  BASH_* BASHOPTS SHELLOPTS PROMPT_COMMAND ZDOTDIR FPATH
  EDITOR VISUAL PAGER BROWSER MANPAGER MANOPT MANPATH LESS LESS* MORE VIM* VIMINIT EXINIT NVIM_* EMACS*
  NODE_* NPM_* YARN_* PNPM_* BUN_* DENO_* ELECTRON_* PYTHON* PIP_* UV_* VIRTUAL_ENV CONDA_*
  PERL* RUBY* GEM_* BUNDLE_* RAKE* PHP* LUA_* TCL* R_* JULIA_* GUILE_* ERL_* ELIXIR_* MIX_* GHC*
  JAVA_* _JAVA_OPTIONS JDK_* CLASSPATH MAVEN_* MVN_* GRADLE_* ANT_* SBT_* DOTNET_* CORECLR_* COR_* COMPLUS_* MONO_*
  CC CXX CPP LD AR AS CFLAGS CXXFLAGS CPPFLAGS LDFLAGS LIBRARY_PATH CPATH GCC_* COMPILER_PATH CCACHE_*
  MAKE* GNUMAKEFLAGS CMAKE_* PKG_CONFIG* CARGO_* RUST* GO* CGO_*
  SSH_* SUDO_* RSYNC_* CVS_RSH SVN_* HG* TAR_OPTIONS GREP_OPTIONS RIPGREP_CONFIG_PATH FZF_* AWKPATH AWKLIBPATH
  WGETRC CURL_HOME NETRC OPENSSL_* SSLKEYLOGFILE GNUPGHOME KUBECONFIG AWS_* DOCKER_* ANSIBLE_* TF_*
  GTK_* GDK_* QT_* GIO_* TERMINFO TERMINFO_DIRS TERMCAP HOSTALIASES RES_OPTIONS LOCALDOMAIN FEMTOCLAW_*
  INPUTRC SCREENRC MYVIMRC MAILCAP MAILCAPS LYNX_CFG FCEDIT PSMODULEPATH NIX_* COMPOSER* TS_NODE_* PYTEST_* TOX_* COVERAGE_*
  PYLINT* MYPY* MATPLOTLIBRC IPYTHONDIR JUPYTER_* OCTAVE_* TEXINPUTS TEXMF* BIBINPUTS LUAINPUTS GS_* MAGICK_* GST_* LADSPA_PATH LV2_PATH
  FC F77 OBJC M2C PC LEX YACC RM GET CO LINT MAKEINFO M4 RANLIB NM STRIP OBJCOPY AUTOCONF AUTOMAKE AUTOM4TE ACLOCAL
  *PAGER *EDITOR *_BROWSER *_SHELL *_ASKPASS *_DIFF *_COMMAND *_CMD *_EXEC *_WRAPPER *_LAUNCHER *_HOOK *_HOOKS
  *_BIN *_BINARY *_BINARY_PATH *_EXECUTABLE *_EXECUTABLE_PATH *_PROGRAM *_ADDOPTS *_RCFILE
  *_OPTS *_OPTIONS *_FLAGS *_PRELOAD *_INIT *_STARTUP *_RC *_CONF *_CONFIG *_CONFIG_FILE *_CONFIG_PATH *_CONFIG_DIR
  *_PLUGIN *_PLUGINS *_PLUGIN_PATH *_MODULE_PATH *_MODULES_PATH *_DRIVER_PATH *_DRIVERS_PATH *_LIBRARY_PATH
`
  .trim()
  .split(/\s+/);

const EXACT: ReadonlySet<string> = new Set(NEVER_SET.filter((name) => !name.includes("*")));
const PREFIXES = NEVER_SET.filter((name) => name.endsWith("*")).map((name) => name.slice(0, -1));
const SUFFIXES = NEVER_SET.filter((name) => name.startsWith("*")).map((name) => name.slice(1));
/** The author of a commit is data. Every other variable of git can name a program or a configuration. */
const GIT_DATA = /^GIT_(?:AUTHOR|COMMITTER)_(?:NAME|EMAIL|DATE)$/;

export function isNeverSet(name: string): boolean {
  const upper = name.toUpperCase();
  if (upper.startsWith("GIT_")) return !GIT_DATA.test(upper);
  return (
    EXACT.has(upper) ||
    PREFIXES.some((prefix) => upper.startsWith(prefix)) ||
    SUFFIXES.some((suffix) => upper.endsWith(suffix))
  );
}
