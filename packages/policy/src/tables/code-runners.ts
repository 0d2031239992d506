/**
 * Programs, known by name, that can be made to execute other code. The list guards against mistakes in a configuration
 * and is not the boundary: what is permitted is always a positive list, in a sandbox.
 */
import { baseName } from "./canonical-path.ts";

/** `operands`: arguments without a dash are code or commands. `options`: only options lead to other code. */
export type CodeRunner = "operands" | "options";

const words = (text: string): string[] => text.trim().split(/\s+/);

/**
 * For these programs, binding the first word or the options binds nothing: the code stands in later arguments, or on
 * stdin.
 */
const OPERANDS: ReadonlySet<string> = new Set(
  words(`
  sh bash rbash dash ash zsh fish ksh mksh pdksh lksh yash csh tcsh rc es elvish xonsh nu oil osh pwsh powershell
  busybox toybox env nice ionice chrt taskset timeout time xargs nohup setsid stdbuf unbuffer numactl prlimit setarch
  linux32 linux64 i386 x86_64 flock watch entr parallel script scriptreplay expect screen tmux abduco dtach zellij
  sudo sudoedit su runuser doas pkexec run0 setpriv capsh chroot unshare nsenter bwrap firejail fakeroot fakechroot proot
  strace ltrace gdb gdbserver lldb perf valgrind rr catchsegv ld-linux ld-musl ld.so run-parts start-stop-daemon
  faketime cpulimit proxychains proxychains4 torsocks sg newgrp login arch caffeinate osascript open rename prename
  systemd-run systemd-nspawn systemd-inhibit dbus-run-session xvfb-run startx ssh-agent at batch crontab flatpak-spawn xdg-open
  ssh mosh rsh rlogin telnet ftp sftp lftp socat mail mailx mutt
  ed red ex vi view vim rvim rview vimdiff gvim nvim neovim nano pico emacs emacsclient joe micro helix hx kak
  less more most pg dc m4 gnuplot sqlite3 psql mysql mariadb mongosh redis-cli
  perl python pypy ipython bpython ruby irb pry node nodejs deno bun tsx ts-node lua luajit tclsh wish php php-cgi java
  jshell groovy scala kotlin clojure R Rscript julia octave ghci runghc runhaskell ocaml guile racket sbcl clisp gforth
  erl escript elixir iex mono raku gjs qjs npx pnpx bunx uvx pipx corepack
  choom runcon uclampset coresched rlwrap chronic ifne pee lckdo vipe vidir systemd-cat dbus-launch gosu su-exec tini
  dumb-init catatonit chpst setuidgid envdir softlimit setlock cross-env dotenv direnv prove hyperfine eatmydata ccache
  sccache distcc msgfilter msgexec run-mailcap sshpass posh sash logsave scriptlive daemon daemonize multitime timelimit
  torify tsocks watchexec nodemon concurrently bpftrace stap uftrace mpirun mpiexec srun lxc-attach lxc-execute schroot
  toolbox distrobox openvt xterm urxvt konsole kitty alacritty gnome-terminal tmate byobu xdotool wine qemu-x86_64
  qemu-aarch64 qemu-arm qemu-i386 genv gnice gtimeout gxargs gstdbuf gnohup gchroot jrunscript jjs bsh zx coffee swipl
  maxima gp duckdb debugfs ar nm ranlib strip objcopy objdump
  make gmake bmake cc c++ gcc g++ c89 c99 cpp clang clang++ clang-cpp tcc as ld gold lld mold collect2 javac rustc
  lto-wrapper ldd`).map((name) => name.toLowerCase()),
);

/** These programs can be bound by a first word and a positive list of options. With any arguments they cannot. */
const OPTIONS: ReadonlySet<string> = new Set(
  words(`
  git hg svn cvs bzr fossil gh glab jj tig find fd fdfind locate sed gsed ssed awk gawk mawk nawk original-awk
  tar gtar bsdtar star cpio pax zip rsync scp rg ripgrep ag ack ugrep bat batcat sort split man info ctags cscope
  npm pnpm yarn pip uv poetry pdm conda mamba tox nox pytest gem bundle bundler rake composer cpan cpanm luarocks
  cargo rustup go gofmt cmake ctest cpack ninja meson bazel buck scons ant mvn mvnw gradle gradlew sbt lein mix rebar3
  stack cabal ghc dotnet msbuild nuget swift swiftc zig just task eslint prettier jest vitest mocha webpack vite
  apt apt-get aptitude dpkg rpm dnf yum zypper apk pacman snap flatpak brew nix guix
  docker podman nerdctl buildah docker-compose kubectl helm oc vagrant ansible ansible-playbook terraform tofu packer
  systemctl journalctl loginctl machinectl service mount ip iptables modprobe insmod
  curl wget aria2c nc ncat netcat nmap tcpdump tshark openssl gpg ssh-keygen ssh-add install
  diff3 sdiff patch groff troff nroff pic cowsay cowthink pidstat dmesg update-alternatives pylint mypy flake8 coverage
  gulp grunt rollup esbuild parcel turbo nx lerna pandoc asciidoctor sphinx-build exiftool blender mpv w3m lynx links
  elinks ranger mc nnn restic borg rclone duplicity unison sshfs ssh-copy-id autoconf automake autoreconf latexmk luatex
  lualatex xetex vipw visudo dialog latex pdflatex xelatex lualatex tex gs convert magick ffmpeg qemu-system-x86_64 logrotate`),
);

/** The danger that the program's name implies, or null. Versions, variants and targets within the name are ignored. */
export function codeRunner(path: string): CodeRunner | null {
  const names = knownNames(baseName(path).toLowerCase());
  if (names.some((name) => OPERANDS.has(name))) return "operands";
  return names.some((name) => OPTIONS.has(name)) ? "options" : null;
}

const VERSION = /[-_.]?[0-9]+(?:[._][0-9]+)*[a-z]?$/;
const VARIANT = /-(?:static|dbg|debug|real|bin|full|minimal|nox|gtk|dist|latest|lts|current)$/;

/** `python3.11-dbg` → `python`, `vim.basic` → `vim`, `aarch64-linux-gnu-gcc-12` → `gcc`. */
function knownNames(name: string): string[] {
  const found = new Set([name, name.split(".")[0] ?? name]);
  for (const candidate of found) {
    found.add(candidate.replace(VERSION, "")).add(candidate.replace(VARIANT, ""));
    const target = candidate.split("-");
    if (target.length >= 3) found.add(target.at(-1) ?? candidate);
    if (candidate.startsWith("ld-")) found.add(target.slice(0, 2).join("-"));
    if (candidate.startsWith("git-")) found.add("git");
  }
  return [...found];
}
