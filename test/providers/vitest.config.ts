import { defineSuite, sdks } from "../define-suite.ts";

/** `npm run test:sdks`: the providers' SDKs, both ends of each range, over HTTP, sockets and bundlers. */
export default defineSuite(sdks);
