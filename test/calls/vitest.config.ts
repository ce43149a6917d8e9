import { calls, defineSuite } from "../define-suite.ts";

/** `npm run test:calls`: calls of ten turns, by every vendor, to whose key something happens. */
export default defineSuite(calls);
