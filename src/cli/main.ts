#!/usr/bin/env node
import { complainOfNode } from "./complain-of-node.ts";
import { printWarnings } from "./print-warnings.ts";

// What is imported above, and this, is plain enough for Node 12: a release that is too old is told so, in place of a stack.
const complaint = complainOfNode(process.versions.node);
if (complaint === undefined) {
  printWarnings(process);
  import("./run.ts").then(({ run }) => run());
} else {
  process.stderr.write(`${complaint}\n`);
  process.exitCode = 1;
}
