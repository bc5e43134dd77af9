// SPDX-License-Identifier: MPL-2.0
// Keeps the state true: asks for everything after a gap, and for what events only hint at. It
// waits a moment between two questions of one kind, so that a flood of events is no flood of them.
import { Link, Refused, type Json } from "./link";
import { HISTORY_MAX } from "./lines";
import { Progress } from "./progress";
import { current, dated, nothing, offered, reduce, settled, type Action, type Peer, type State } from "./state";
import { Watch } from "./watch";

const PAUSE_MS = 1000; // between two questions of one kind
const TRIAL_S = 600; // whoever has forgotten it is not listened to for longer
const FIGURES_MS = 5000; // how old figures of links may get while they are looked at

const CONFIRM_MS = 2000; // what is not confirmed yet is asked about again

type Part = "peers" | "map" | "sources" | "lists" | "hands";

export class Model {
  state: State = nothing;
  readonly watch = new Watch((what) => this.link.tell(what));
  private link: Link;
  private listeners = new Set<() => void>();
  private frame = 0;
  private waiting = new Map<Part, number>();
  readonly progress = new Progress(); // of documents
  readonly rates = new Map<string, number[]>(); // of each peer, the newest last
  private sampled_ms = 0;
  private charted = false; // the map is looked at
  private asking = 0; // the newest snapshot; an older one is not shown

  constructor() {
    this.link = new Link({
      state: (link) => {
        this.act({ kind: "link", link });
        if (link === "live") this.watch.begin();
      },
      picture: (message) => this.watch.take(message),
      event: (event) => this.heard(event),
      gap: () => void this.snapshot(),
    });
    setInterval(() => {
      if (document.hidden) return;
      this.later("peers");
      // That a source was switched off elsewhere, in a terminal or another page, no event tells.
      if (this.state.sources.length > 0) this.later("sources");
    }, FIGURES_MS);
    setInterval(() => {
      if (!document.hidden && this.state.peers.some((peer) => (peer.unconfirmed ?? 0) > 0)) {
        this.later("peers");
      }
    }, CONFIRM_MS);
  }

  begin(language: string): void {
    this.link.language = language;
    void this.link.begin();
  }

  set language(code: string) {
    this.link.language = code;
    this.later("peers");
    this.later("sources");
    if (this.charted) this.later("map");
  }

  // While the map is looked at, it is asked for when an event tells that it changed.
  chart(on: boolean): void {
    this.charted = on;
    if (on) void this.refresh("map");
    else this.act({ kind: "had", part: { map: null } });
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  // Asks, and sees to it that what changed here without an event is seen.
  async ask(command: string, args: Json = {}, said?: (sentence: string) => void): Promise<Json> {
    const result = await this.link.ask(command, args, ({ text }) => text && said?.(text));
    if (/^(mic|cam|screen) |^talk$/.test(command)) await this.sources();
    if (/^(meeting|join|accept|name)/.test(command)) await this.snapshot();
    if (/^(say|vote|motion|hand) ?/.test(command)) this.later("peers"); // who has confirmed it
    return result;
  }

  // Tries a device until it is told to stop; `level` gets how loud it is.
  try(what: string, hear: boolean, level: (loudness: Json) => void): Promise<Json> {
    return this.link.ask("devices test", { what, seconds: TRIAL_S, ...(hear ? { hear } : {}) },
      (progress) => progress.rms_db !== undefined && level(progress));
  }

  decline(): void {
    this.act({ kind: "had", part: { offer: null } });
  }

  forget(notice: number): void {
    this.act({ kind: "forget", notice });
  }

  // Drawn once a frame, whatever comes; and at once where no frame comes, as in a hidden tab.
  private act(action: Action): void {
    const before = this.state;
    this.state = reduce(before, action);
    if (this.state === before || this.frame) return;
    const draw = () => {
      this.frame = 0;
      for (const listener of this.listeners) listener();
    };
    if (document.hidden) draw();
    else this.frame = requestAnimationFrame(draw);
  }

  // What an event says is in the node's language and, beside that, in each.
  private translate(thing: Json): void {
    const code = this.link.language;
    if (thing?.names?.[code]) thing.name = thing.names[code];
    if (thing?.reasons?.[code]) thing.reason = thing.reasons[code];
    if (thing?.texts?.[code]) thing.text = thing.texts[code];
  }

  private heard(event: Json): void {
    const before = current(this.state)?.id;
    for (const thing of [event, event.member, event.peer]) this.translate(thing);
    this.act({ kind: "event", event });
    switch (event.event) {
      case "meeting":
      case "expelled":
        if (current(this.state)?.id !== before) void this.snapshot();
        break;
      case "member":
        if (event.current) this.later("peers");
        if (event.current) this.later("hands"); // who is gone asks no more
        break;
      case "peer":
      case "line":
        if (event.current) this.later("peers"); // the figures of its line
        break;
      case "map":
        if (event.current && this.charted) this.later("map");
        break;
      case "source":
      case "rung":
        this.later("sources");
        break;
      case "stream":
        if (event.member === this.state.id) void this.sources();
        break;
      case "document":
        if (event.current) this.note([event.document]);
        this.later("lists"); // their order
        break;
      case "motion":
        this.later("lists"); // their order
        break;
    }
  }

  private note(documents: Json[]): void {
    const now_ms = performance.now();
    for (const { id, have } of documents) this.progress.note(id, have, now_ms);
  }

  // Figures that are asked for more often are kept as often as the others.
  private sample(peers: Json[]): Peer[] {
    const now_ms = performance.now();
    if (now_ms - this.sampled_ms > FIGURES_MS - PAUSE_MS) {
      this.sampled_ms = now_ms;
      for (const { id, state, rate_bps } of peers) {
        const rates = [...(this.rates.get(id) ?? []), state === "up" ? rate_bps : 0];
        this.rates.set(id, rates.slice(-HISTORY_MAX));
      }
    }
    return settled(this.state.peers, peers.map(dated));
  }

  private later(part: Part): void {
    if (this.waiting.has(part) || this.state.link !== "live" || !current(this.state)) return;
    this.waiting.set(part, window.setTimeout(() => {
      this.waiting.delete(part);
      void this.refresh(part);
    }, PAUSE_MS));
  }

  // What is answered is put in before anything else is heard: a later event is never undone by it.
  private async had(command: string, part: (answer: Json) => Partial<State>): Promise<void> {
    const number = this.asking;
    try {
      const answer = await this.link.ask(command);
      if (number === this.asking) this.act({ kind: "had", part: part(answer) });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
  }

  private async refresh(part: Part): Promise<void> {
    if (part === "sources") await this.sources();
    else if (part === "peers") await this.had("peers", (peers) => ({ peers: this.sample(peers) }));
    else if (part === "map") {
      await this.had("map", (map) => ({ map: this.charted ? map : null }));
    } else if (part === "hands") await this.had("hand list", (hands) => ({ hands }));
    else await this.lists();
  }

  private sources(): Promise<void> {
    return this.had("stats", (stats) => ({ sources: stats.sources }));
  }

  private streams(): Promise<void> {
    return this.had("streams", (streams) => ({ streams }));
  }

  private async lists(): Promise<void> {
    await Promise.all([
      this.had("doc list", (documents) => {
        this.note(documents);
        return { documents };
      }),
      this.had("motion list", (motions) => ({ motions })),
    ]);
  }

  private async snapshot(): Promise<void> {
    const number = ++this.asking;
    const before = current(this.state)?.id;
    await this.had("status", ({ id, name, locked, meetings, peers, hands, offer }) => {
      const other = meetings.find((meeting: Json) => meeting.current)?.id !== before;
      const empty = { members: [], map: null, messages: [], documents: [], motions: [], sources: [],
        streams: [] };
      return { id, name, locked, meetings, ...(other ? empty : {}), peers: peers.map(dated),
        hands, offer: offered(offer) };
    });
    await this.had("meeting list", (meetings) => ({ meetings })); // those left too
    if (number !== this.asking) return;
    if (current(this.state)) {
      await Promise.all([
        this.had("roster list", (members) => ({ members })),
        this.had("messages", (messages) => ({ messages })),
        this.lists(),
        this.sources(),
        this.streams(),
        ...(this.charted ? [this.refresh("map")] : []),
      ]);
    }
    if (number === this.asking && this.state.link === "live") {
      this.act({ kind: "had", part: { known: true } });
    }
  }
}
