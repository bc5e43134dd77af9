// SPDX-License-Identifier: MPL-2.0
// Debian's Chromium, driven; whatever a page complains of is kept.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { note, skipAll } from "./tap.mjs";

const WAIT_MS = 60_000; // a machine may be busy
const END_MS = 10_000; // from the line that broke to the end of the process
const LINES_MAX = 30; // of what it said last
const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find(existsSync);

export const modules = resolve(process.env.MAILLON_PAGE_MODULES ?? "node_modules");
const from = createRequire(join(modules, "x"));

export function need(...names) {
  for (const name of names) {
    if (!existsSync(join(modules, name))) skipAll(`the npm module ${name} is not there`);
  }
}

// What the browser says, and how it ends, is kept in a file: of a crash nothing else tells.
const WRAPPER = `#!/bin/sh
${CHROMIUM} "$@" 2>"$HOME/said"
status=$?
echo "it ended with status $status" >>"$HOME/said"
exit $status
`;

export class Browser {
  async open() {
    if (!CHROMIUM) skipAll("there is no /usr/bin/chromium");
    const { chromium } = from("playwright-core");
    this.shots = process.env.MAILLON_PAGE_SHOTS;
    mkdirSync(this.shots, { recursive: true });
    this.profile = mkdtempSync(join(tmpdir(), "maillon-chromium-"));
    this.complaints = [];
    this.forgiven = ""; // with these words in it, it is none
    this.closing = false;
    const wrapper = join(this.profile, "browser");
    writeFileSync(wrapper, WRAPPER, { mode: 0o755 });
    this.browser = await chromium.launch({
      executablePath: wrapper,
      timeout: 3 * WAIT_MS,
      args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--disable-dev-shm-usage"],
      env: { ...process.env, HOME: this.profile },
    });
    this.browser.on("disconnected", () => { this.told ??= this.closing ? null : this.ended(); });
  }

  // By itself, which is no fault of the step that waits for it: how, and what it said last.
  async ended() {
    const until = Date.now() + END_MS;
    let said = "";
    while (!said.includes("it ended with status") && Date.now() < until) {
      await new Promise((done) => setTimeout(done, 50));
      said = readFileSync(join(this.profile, "said"), "utf8");
    }
    note(`The browser is gone:\n${said.trimEnd().split("\n")
      .filter((line) => !line.includes("dbus/")).slice(-LINES_MAX).join("\n")}`);
    this.complain("the browser is gone");
  }

  // A browser of its own as far as cookies go.
  async person(locale, width = 1366, height = 768) {
    const context = await this.browser.newContext({ locale, viewport: { width, height },
      reducedMotion: "reduce" });
    context.setDefaultTimeout(WAIT_MS);
    return context;
  }

  async page(context, address) {
    const page = await context.newPage();
    page.on("pageerror", (error) => this.complain(String(error)));
    page.on("console", (message) => {
      // A node that is gone is complained of by the browser itself.
      if (message.type() === "error" &&
        !/ERR_CONNECTION|ERR_EMPTY_RESPONSE|WebSocket|403/.test(message.text())) {
        this.complain(message.text());
      }
    });
    page.on("request", (request) => {
      // blob:null is the worker inside a frame of no origin.
      if (!/^(http|ws):\/\/127\.0\.0\.1:|^data:|^blob:null\//.test(request.url())) {
        this.complain(`asked elsewhere: ${request.url()}`);
      }
    });
    await page.goto(address);
    return page;
  }

  complain(text) {
    if (!this.forgiven || !text.includes(this.forgiven)) this.complaints.push(text);
  }

  async shot(page, name) {
    await page.screenshot({ path: join(this.shots, `${name}.png`) });
  }

  async close() {
    this.closing = true;
    await this.told;
    await this.browser.close();
    // Its last processes may still be writing.
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

let axe = "";

// What axe finds wrong, in words; nothing at all is the aim, not only nothing serious.
export async function faults(page) {
  axe ||= readFileSync(join(modules, "axe-core", "axe.min.js"), "utf8");
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, {
    resultTypes: ["violations"],
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  }));
  return violations.map((one) => `${one.id} (${one.impact}): ${one.help}\n` +
    one.nodes.map((node) => `    ${node.html.slice(0, 200)}\n    ${node.failureSummary}`)
      .join("\n"));
}

// Nothing has to be scrolled sideways to be read.
export const sideways = (page) => page.evaluate(() => {
  const width = document.documentElement.clientWidth;
  return [...document.querySelectorAll("body, body *")].filter((at) => {
    const box = at.getBoundingClientRect();
    return box.width > 0 && box.right > width + 1 && !at.closest(".unseen");
  }).map((at) => at.outerHTML.slice(0, 120));
});

// The keyboard is where it should be: on what has this name.
export const focused = (page, name) => page.waitForFunction((wanted) =>
  (document.activeElement.closest("label") ?? document.activeElement).textContent === wanted, name);
