/** Prints the warnings of Node and of packages on one line each, and not that `node:sqlite` is experimental in Node 22. */
export function printWarnings(process: NodeJS.Process): void {
  // None: the user has silenced them.
  if (process.listenerCount("warning") === 0) return;
  process.removeAllListeners("warning");
  process.on("warning", ({ name, message }) => {
    if (name === "ExperimentalWarning") return;
    process.stderr.write(`warning: ${message.replace(/\s+/g, " ")}\n`);
  });
}
