// SPDX-License-Identifier: MPL-2.0
// The one line to the node: commands and answers, numbered events, found again by itself when lost.
// It knows no command. What was asked when the line broke is refused as "lost": nobody knows
// whether it was done.

export type Json = any; // what the node says, read where it is used
// "old": another build of the page is served by now, and loading it anew has not brought it.
export type LinkState = "connecting" | "live" | "lost" | "refused" | "old";

export class Refused extends Error {
  constructor(readonly code: string, message: string, readonly reason = "") {
    super(message);
  }
}

export interface Hearer {
  state(state: LinkState): void;
  event(event: Json): void;
  picture(message: ArrayBuffer): void;
  // What was shown may be wrong: everything is to be asked for again.
  gap(): void;
}

interface Asked {
  heard?(progress: Json): void;
  done(result: Json): void;
  failed(error: Refused): void;
}

const KEY = "key";
const RELOADED = "reloaded"; // the build the page was loaded anew for, in this tab
declare const BUILD: string; // of this page
const RETRY_MS = [200, 400, 800, 1500, 3000];
const SEEN_COUNT = 16; // the node is told what was had, at the latest after so many,
const SEEN_SIZE = 65536; // so much,
const SEEN_MS = 800; // and so long: each telling costs it about as much as a picture

const key = () => localStorage.getItem(KEY) ?? "";

async function session(half: string): Promise<boolean> {
  const answer = await fetch("session",
    { method: "POST", headers: { Authorization: `Bearer ${half}` } });
  if (answer.ok) localStorage.setItem(KEY, (await answer.json()).key);
  return answer.ok;
}

export const withKey = (path: string) => `${path}?key=${encodeURIComponent(key())}`;

export const post = (path: string, body: string) => fetch(path,
  { method: "POST", headers: { Authorization: `Bearer ${key()}` }, body });

// Sends a file; `progress` gets 0 … 1. The answer is that of `doc add`, "cancelled" after abort().
export function upload(file: File, request: XMLHttpRequest,
  progress: (part: number) => void): Promise<Json> {
  return new Promise((done, failed) => {
    request.open("POST", `documents?name=${encodeURIComponent(file.name)}`);
    request.setRequestHeader("Authorization", `Bearer ${key()}`);
    request.upload.onprogress = (event) => progress(event.loaded / Math.max(event.total, 1));
    request.onerror = () => failed(new Refused("lost", ""));
    request.onabort = () => failed(new Refused("cancelled", ""));
    request.onload = () => {
      const answer = request.status === 200 ? JSON.parse(request.responseText) : null;
      if (answer?.ok) done(answer.result);
      else failed(new Refused(answer?.code ?? `http-${request.status}`, answer?.error ?? ""));
    };
    request.send(file);
  });
}

export class Link {
  language = "fr";
  private socket: WebSocket | null = null;
  private asked = new Map<number, Asked>();
  private lastId = 0;
  private run = "";
  private number = 0; // of the last event
  private had = 0; // messages of this connection
  private told = 0; // how many of them the node knows of
  private untold = 0; // what it does not, in bytes or letters
  private tries = 0;
  private opening = false;
  private timer = 0;
  private seenTimer = 0;

  constructor(private hearer: Hearer) {
    addEventListener("online", () => this.soon(0));
    addEventListener("hashchange", () => location.hash && this.soon(0)); // another address
    document.addEventListener("visibilitychange", () => document.hidden || this.soon(0));
  }

  // With the token of the page's address, if it holds one, else with what is kept.
  async begin(): Promise<void> {
    if (this.opening) return;
    this.opening = true;
    const token = location.hash.slice(1);
    if (token) history.replaceState(null, "", location.pathname);
    try {
      for (const half of [token, key()].filter(Boolean)) {
        if (await session(half)) return this.connect();
      }
      this.hearer.state("refused");
    } catch {
      this.broken();
    } finally {
      this.opening = false;
    }
  }

  // `heard` gets what the node tells meanwhile.
  ask(command: string, args: Json = {}, heard?: (progress: Json) => void): Promise<Json> {
    const id = ++this.lastId;
    if (this.socket?.readyState !== WebSocket.OPEN) {
      return Promise.reject(new Refused("lost", ""));
    }
    this.socket.send(JSON.stringify(
      { id, command, arguments: args, language: this.language }));
    return new Promise((done, failed) => this.asked.set(id, { done, failed, heard }));
  }

  // Says something that is not answered.
  tell(what: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(what));
  }

  private connect(): void {
    const query = this.run ? `?run=${this.run}&after=${this.number}` : "";
    const socket = new WebSocket(`ws://${location.host}/live${query}`, ["maillon", key()]);
    this.socket = socket;
    this.had = this.told = this.untold = 0;
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => {
      this.count(typeof data === "string" ? data.length : data.byteLength);
      if (typeof data === "string") this.take(JSON.parse(data));
      else this.hearer.picture(data);
    };
    socket.onclose = () => socket === this.socket && this.broken();
  }

  private count(size: number): void {
    this.had++;
    this.untold += size;
    if (this.had - this.told >= SEEN_COUNT || this.untold >= SEEN_SIZE) this.tellSeen();
    else this.seenTimer ||= window.setTimeout(() => this.tellSeen(), SEEN_MS);
  }

  private take(message: Json): void {
    if (message.event === "welcome") this.greeted(message);
    else if (message.event) this.heard(message);
    else this.answered(message);
  }

  private tellSeen(): void {
    clearTimeout(this.seenTimer);
    this.seenTimer = 0;
    this.told = this.had;
    this.untold = 0;
    this.tell({ seen: this.had });
  }

  private greeted(welcome: Json): void {
    this.tries = 0;
    if (welcome.build !== BUILD) return this.outdated(welcome.build);
    sessionStorage.removeItem(RELOADED);
    this.run = welcome.run;
    this.number = welcome.number;
    this.hearer.state("live");
    if (!welcome.resumed) this.hearer.gap();
  }

  // Another program runs there now: its own page speaks with it. What was written is kept. Once: a
  // browser that keeps the old page is not sent in circles.
  private outdated(build: string): void {
    const again = sessionStorage.getItem(RELOADED) === build;
    this.hearer.state("old");
    this.opening = true; // nothing is asked from here any more
    const { socket } = this;
    this.socket = null;
    socket?.close();
    if (again) return;
    sessionStorage.setItem(RELOADED, build);
    location.reload();
  }

  private heard(event: Json): void {
    const missed = event.number !== this.number + 1;
    this.number = event.number;
    this.hearer.event(event);
    if (missed) this.hearer.gap();
  }

  private answered(answer: Json): void {
    const asked = this.asked.get(answer.id);
    if (!asked) return;
    if (answer.progress) {
      asked.heard?.(answer.progress);
      return;
    }
    this.asked.delete(answer.id);
    if (answer.ok) asked.done(answer.result);
    else asked.failed(new Refused(answer.code, answer.error, answer.reason));
  }

  private broken(): void {
    this.socket = null;
    for (const asked of this.asked.values()) asked.failed(new Refused("lost", ""));
    this.asked.clear();
    this.hearer.state("lost");
    this.soon(RETRY_MS[Math.min(this.tries++, RETRY_MS.length - 1)]);
  }

  private soon(ms: number): void {
    if (this.socket !== null) return;
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.begin(), ms);
  }
}
