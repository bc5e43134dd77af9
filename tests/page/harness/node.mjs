// SPDX-License-Identifier: MPL-2.0
// A real node on loopback: its process may come and go, its home stays until the end.
import { execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const READY_MS = 60_000;
const PROGRAM = process.env.MAILLON_BIN;
const running = new Set();
process.on("exit", () => running.forEach((one) => one.kill("SIGKILL")));

export class Node {
  // `media`: words of `start` for a node with sound; else it has none.
  constructor(name, media = ["--no-media"]) {
    this.name = name;
    this.media = media;
    this.place = mkdtempSync(join(tmpdir(), "maillon-page-"));
    this.home = join(this.place, "home");
    this.environment = { PATH: process.env.PATH, HOME: this.place, LC_ALL: "C.UTF-8",
      XDG_RUNTIME_DIR: this.place, MAILLON_MEDIA: process.env.MAILLON_MEDIA ?? "" };
    this.said = "";
  }

  // Resolves with the page's address.
  start() {
    const words = ["start", "--home", this.home, ...this.media];
    const process = spawn(PROGRAM, [...words, "--name", this.name], { env: this.environment });
    this.process = process;
    running.add(process);
    process.on("exit", () => running.delete(process));
    this.ended = new Promise((done) => process.on("exit", (code, signal) => done(signal ?? code)));
    process.stderr.on("data", (text) => { this.said += text; });
    return new Promise((done, refused) => {
      const late = setTimeout(() => refused(new Error(`${this.name} is not ready`)), READY_MS);
      process.stdout.on("data", (text) => {
        const address = /ready (\S+)/.exec(text);
        if (address) {
          clearTimeout(late);
          this.address = address[1];
          done(this.address);
        }
      });
    });
  }

  async kill() {
    this.process.kill("SIGKILL");
    await this.ended;
  }

  async end() {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill("SIGTERM");
    }
    const status = await this.ended;
    rmSync(this.place, { recursive: true, force: true });
    return status;
  }

  async run(...words) {
    const { stdout } = await promisify(execFile)(PROGRAM,
      ["--home", this.home, "--json", ...words],
      { env: this.environment, timeout: READY_MS, maxBuffer: 1 << 28 });
    return JSON.parse(stdout);
  }
}
