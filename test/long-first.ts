import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Those that take longest, so that none of them is the last one to begin. */
const longest = [
  "test/cli/cli.test.ts",
  "test/model/coherence-model.test.ts",
  "test/faults/faults.test.ts",
  "test/planted-key.test.ts",
  "test/store/postgres/postgres-pool.test.ts",
  "test/http/fuzz.test.ts",
];

export class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = longest.indexOf(relative(this.ctx.config.root, moduleId));
      return at < 0 ? longest.length : at;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
