import { calls, defineSuite, faults, sdks } from "./define-suite.ts";

/** `npm test`: everything that has no command of its own. */
export default defineSuite(
  ["test/**/*.test.ts"],
  ["test/guards/**", "test/frameworks/**", ...calls, ...faults, ...sdks],
);
