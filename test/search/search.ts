/**
 * Searches for what must not happen. The model check's worlds run in virtual time, thousands of schedules a minute, and real
 * servers under load show what a model cannot. Each seed switches every kind of fault, size and distance on or off. In the
 * end everything must be served again.
 *
 *   npm run search -- --hours 8                    a night: mostly the model, a tenth of the time real servers
 *   npm run search -- --hours 8 --resume           goes on where the last one ended, or was ended with Ctrl-C
 *   npm run search -- --minutes 10                 real servers alone, with a fresh seed, which is printed
 *   npm run search -- --minutes 1 --seed 7         the same schedules again, as far as real time allows
 *   npm run search -- --replay model:123           one schedule again, as a violation names it
 *
 * Also: --share 0.1 (of the time, for real servers), --cores 2, --state FILE (where it notes how far it has come).
 */

import { onInterruption } from "./on-interruption.ts";
import { replay } from "./replay.ts";
import { readSearchOptions } from "./search-options.ts";
import { describeSearch } from "./search-report.ts";
import { SearchRun } from "./search-run.ts";

const options = readSearchOptions(process.argv.slice(2));
if (options.replay !== undefined) {
  onInterruption();
  process.exitCode = (await replay(options.replay)) ? 1 : 0;
} else {
  const run = new SearchRun(options);
  process.stdout.write(`seed ${run.state.seed}\n`);
  onInterruption(() => run.stop());
  const state = await run.untilItsEnd();
  process.stdout.write(`${describeSearch(state).join("\n")}\n`);
  process.exitCode = state.violations.length > 0 ? 1 : 0;
}
