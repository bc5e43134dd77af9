// SPDX-License-Identifier: MPL-2.0
// How the meeting is linked, at a glance and in full: what the line carries, who is gone, what is
// still on its way and when it will be here, and how the line is spared.
import { useEffect, useState } from "preact/hooks";
import { Bandwidth } from "./bandwidth";
import { Bars, barsOf, Course, hasLine, isMeasured, LinkWords } from "./lines";
import { MapPart } from "./map";
import type { Doc, Peer, State } from "./state";
import { Dialog, rateText, Said, sizeText, useAround, type Around } from "./ui";

const LOOK_MS = 2000; // the rest of a document is told anew so often
const HOUR_S = 3600;

// One's own messages, ballots and hands that nobody has confirmed: 0 too where nobody else is.
export function unconfirmedByAll(peers: Peer[]): number {
  const known = peers.flatMap(({ unconfirmed }) => unconfirmed ?? []);
  return known.length > 0 ? Math.min(...known) : 0;
}

// The one sentence that matters most, and how many bars stand before it.
export function summary(all: Around, state: State): { bars: number; words: string } {
  const { text } = all;
  const up = state.peers.filter((peer) => peer.state === "up");
  if (state.link !== "live") return { bars: 0, words: text("line.unknown") };
  if (state.peers.length === 0) return { bars: 0, words: text("line.alone") };
  if (up.length === 0) return { bars: 0, words: text("line.nobody") };
  const linked = up.filter(hasLine);
  if (linked.length === 0) return { bars: 1, words: text("line.linked") };
  const worst = linked.reduce((a, b) => barsOf(b) < barsOf(a) ||
    (barsOf(b) === barsOf(a) && b.rate_bps < a.rate_bps) ? b : a);
  const gone = state.peers.length - up.length;
  const parts = [!isMeasured(worst) && !worst.reason ? text("line.linked")
    : text(`line.words.${barsOf(worst)}`, { rate: rateText(all, worst.rate_bps) })];
  if (gone > 0) parts.push(text("line.gone", { n: gone }));
  return { bars: barsOf(worst), words: parts.join(" · ") };
}

function timeText({ text }: Around, seconds: number): string {
  if (seconds < 60) return text("unit.seconds", { n: Math.max(1, Math.round(seconds)) });
  if (seconds < HOUR_S) return text("unit.min", { n: Math.round(seconds / 60) });
  return text("unit.hours", { n: Math.round(seconds / HOUR_S) });
}

export function comingText(all: Around, document: Doc): string {
  const rest = document.size - document.have;
  const rate = all.model.progress.rateOf(document.id, performance.now());
  const size = sizeText(all, rest);
  return rate > 0 ? all.text("way.coming", { rest: size, rate: rateText(all, rate),
    time: timeText(all, rest * 8 / rate) }) : all.text("way.still", { rest: size });
}

function OnItsWay({ state }: { state: State }) {
  const all = useAround();
  const { text } = all;
  const [, look] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => look((count) => count + 1), LOOK_MS);
    return () => clearInterval(timer);
  }, []);
  const coming = state.documents.filter((one) => one.have < one.size);
  const owed = state.peers.filter((peer) => (peer.unconfirmed ?? 0) > 0);
  const nobody = unconfirmedByAll(state.peers);
  return (
    <div role="group" aria-labelledby="way-title" class="way">
      <h3 id="way-title">{text("way.title")}</h3>
      <ul>
        {coming.map((one) => <li key={one.id}><Said>{one.name}</Said>{" "}
          <span class="muted">{comingText(all, one)}</span></li>)}
        {nobody > 0 && <li>{text("way.nobody", { n: nobody })}</li>}
        {nobody === 0 && owed.map((peer) => <li key={peer.id}>
          {text("way.owed", { n: peer.unconfirmed ?? 0, name: peer.name })}</li>)}
      </ul>
      {coming.length === 0 && owed.length === 0 && <p class="muted">{text("way.none")}</p>}
    </div>
  );
}

// In the masthead: a picture, a few words, and the way to the rest.
export function LinkButton({ state, open }: { state: State; open(): void }) {
  const all = useAround();
  const { bars, words } = summary(all, state);
  const nobody = state.link === "live" ? unconfirmedByAll(state.peers) : 0;
  return (
    <button type="button" class="quiet linked" onClick={open} aria-haspopup="dialog">
      <Bars count={bars} />
      <span class="words">{nobody > 0 && bars > 0 ? all.text("line.owed", { n: nobody }) : words}</span>
      <span class="unseen">{all.text("line.open")}</span>
    </button>
  );
}

export function LinkScreen({ state, close }: { state: State; close(): void }) {
  const all = useAround();
  const { text, model } = all;
  const { bars, words } = summary(all, state);
  // Who is gone first.
  const peers = [...state.peers].sort((a, b) => Number(a.state === "up") - Number(b.state === "up"));
  return (
    <Dialog title={text("line.title")} close={close} closeText={text("line.close")}>
      <p class="row overall"><Bars count={bars} /> <strong>{words}</strong></p>
      <MapPart state={state} />
      <ul class="linklist">
        {peers.map((peer) => (
          <li key={peer.id}>
            <span class="who"><Said>{peer.name}</Said></span>
            <Course rates={model.rates.get(peer.id) ?? []} />
            <span class="link"><LinkWords peer={peer} members={state.members} /></span>
          </li>
        ))}
      </ul>
      <OnItsWay state={state} />
      <hr />
      <Bandwidth />
    </Dialog>
  );
}
