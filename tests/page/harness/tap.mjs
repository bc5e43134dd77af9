// SPDX-License-Identifier: MPL-2.0
// Steps in the Test Anything Protocol; a failed one is told, and the rest goes on.
import assert from "node:assert/strict";

let count = 0;
let failed = 0;

export const note = (text) => console.log(String(text).replace(/^/gm, "# "));

export function skipAll(reason) {
  console.log(`1..0 # SKIP ${reason}`);
  process.exit(0);
}

// Who is told to end has waited for something that never came: for what, and since when.
let now = "";
let since = 0;
process.on("SIGTERM", () => note(`told to end, ${Math.round((Date.now() - since) / 1000)} s into: ${now}`));

export async function step(name, work) {
  count++;
  now = name;
  since = Date.now();
  try {
    await work();
    console.log(`ok ${count} - ${name}`);
    return true;
  } catch (error) {
    failed++;
    console.log(`not ok ${count} - ${name}`);
    note(error.stack ?? error);
    return false;
  }
}

export function end() {
  console.log(`1..${count}`);
  process.exit(failed > 0 ? 1 : 0); // a step that failed may have left a node or a browser open
}

/** The last steps of every test: the browser saw nothing wrong, and the nodes end cleanly. */
export async function finish(browser, nodes) {
  await step("nothing was complained of, nor asked from elsewhere", () => {
    assert.deepEqual(browser.complaints, []);
  });
  await browser.close();
  await step("every node ends as it should", () => Promise.all(nodes.map(async (node) => {
    assert.equal(await node.end(), 0, node.said);
  })));
  note(`screenshots: ${browser.shots}`);
  end();
}
