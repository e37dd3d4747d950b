/** What `weft` ends with; stable, documented in `weft --help`. `weft run` ends with its command's own code instead. */
export const exitCode = {
  /** Done. */
  ok: 0,
  /** Something outside the command went wrong: a busy port, a full disk, a check that failed. */
  failure: 1,
  /** The command line, a file or an object is not right; nothing was changed by the part that is wrong. */
  userMistake: 2,
  /** There is no control plane to talk to. */
  notRunning: 3,
} as const;

/** For `--help`. */
export const exitCodeHelp = `Exit codes:
  0  done
  1  failure: something outside the command went wrong, or a check found trouble
  2  mistake in the command line, a file or an object
  3  no control plane is running at the address used
  weft run ends with the code of its command (128 + signal number when a signal ended it);
  weft diff ends with 1 when there are differences.`;
