import { defineSuite, faults } from "../define-suite.ts";

/** `npm run test:faults`: workers and managers under load while servers fail. */
export default defineSuite(faults);
