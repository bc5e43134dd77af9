// SPDX-License-Identifier: MPL-2.0
// Which cameras and screens this page shows: it asks the node for these alone, and gives what comes
// to them. While the page is not looked at it asks for none, but still says that it would show them.
import { readPicture } from "./frame";
import { canDecode, Show } from "./show";

export interface Source { member: string; kind: "video" | "screen" }

const SOURCES_MAX = 16; // of the node's

export const keyOf = ({ member, kind }: Source) => `${member}/${kind}`;

export class Watch {
  bad = 0; // messages that named no source of ours
  private shows = new Map<string, { source: Source; number: number; show: Show; users: number }>();
  private claims = 0; // screens that show pictures
  private lastNumber = 0;
  private listeners = new Set<() => void>();
  private telling = 0;

  constructor(private tell: (what: object) => void) {
    document.addEventListener("visibilitychange", () => this.changed());
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  // A screen for pictures is there, until what is returned is called.
  claim(): () => void {
    this.claims++;
    this.changed();
    return () => {
      this.claims--;
      this.changed();
    };
  }

  // The same source may be shown in several places.
  open(source: Source): Show {
    const key = keyOf(source);
    let entry = this.shows.get(key);
    if (!entry) {
      const number = ++this.lastNumber;
      const show = new Show(() => this.tell({ keyframe: number }), () => this.draw());
      entry = { source, number, show, users: 0 };
      this.shows.set(key, entry);
      this.changed();
    }
    entry.users++;
    return entry.show;
  }

  close(source: Source): void {
    const entry = this.shows.get(keyOf(source));
    if (!entry || --entry.users > 0) return;
    entry.show.close();
    this.shows.delete(keyOf(source));
    this.changed();
  }

  find(source: Source): Show | undefined {
    return this.shows.get(keyOf(source))?.show;
  }

  take(message: ArrayBuffer): void {
    const picture = readPicture(message);
    const number = picture?.source ?? (message.byteLength >= 8
      ? new DataView(message).getUint32(4, true) : 0);
    const entry = [...this.shows.values()].find((one) => one.number === number);
    if (!entry) this.bad++;
    else if (picture) entry.show.take(picture);
    else entry.show.malformed();
  }

  // The line to the node is there (again): it knows nothing of before.
  begin(): void {
    for (const { show } of this.shows.values()) show.lose();
    this.changed();
  }

  private draw(): void {
    for (const listener of this.listeners) listener();
  }

  // Told once for all that changes at a time.
  private changed(): void {
    this.telling ||= window.setTimeout(() => {
      this.telling = 0;
      this.tell({ watch: this.claims === 0 || !canDecode() ? null : this.list() });
    }, 0);
  }

  private list(): object[] {
    if (document.hidden) return [];
    return [...this.shows.values()].slice(0, SOURCES_MAX)
      .map(({ source, number }) => ({ source: number, ...source }));
  }
}
