/**
 * Perl that writes machine code into another process of its sandbox, where that waits for the kernel. Whether the kernel of
 * a machine lets it is the kernel's affair (`yama`); where it does not, it ends without having done anything.
 */
export function takingOver(process: string, code: string): string {
  return `
    my ($process, $state) = (${process}, "running");
    while ($state =~ /running/) {
      open(my $file, "<", "/proc/$process/syscall") or exit;
      $state = <$file>;
    }
    my $at = hex((split " ", $state)[-1]);
    open(my $memory, "+<:raw", "/proc/$process/mem") or exit;
    ${code}
    sysseek($memory, $at, 0) and syswrite($memory, $code);`;
}
