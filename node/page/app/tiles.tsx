// SPDX-License-Identifier: MPL-2.0
// The pictures of a meeting: one large, the others small, and of each in words what it is worth.
import { useEffect, useRef, useState } from "preact/hooks";
import { canDecode, type Shown } from "./show";
import "./tiles.css";
import type { State, Stream } from "./state";
import { Icon, Said, useAround } from "./ui";
import { keyOf, type Source } from "./watch";

const TILES_MAX = 12; // an old laptop decodes no more
const LOOK_MS = 1000;

interface Tile { source: Source; key: string; name: string; self: boolean; speaking: boolean }

// ---- which one is large ----

const isPicture = (stream: Stream): stream is Stream & Source => stream.kind !== "voice";

const voiceOf = (streams: Stream[], member: string) =>
  streams.find((one) => one.member === member && one.kind === "voice");

function tilesOf({ members, streams, id }: State): Tile[] {
  return streams.filter(isPicture).map(({ member, kind }) => ({
    source: { member, kind }, key: keyOf({ member, kind }), self: member === id,
    name: members.find((one) => one.id === member)?.name ?? "",
    speaking: kind === "video" && voiceOf(streams, member)?.speaking === true,
  }));
}

// Who speaks is large, and stays so until another speaks alone: a picture that jumps tires.
export function largest(tiles: Tile[], pinned: string, before: string): string {
  const has = (key: string) => tiles.some((tile) => tile.key === key);
  const others = tiles.filter((tile) => !tile.self);
  const screens = others.filter(({ source }) => source.kind === "screen");
  const speaking = others.filter((tile) => tile.speaking);
  if (has(pinned)) return pinned;
  if (screens.length > 0) return screens[screens.length - 1].key;
  if (speaking.length > 0 && !speaking.some((tile) => tile.key === before)) return speaking[0].key;
  if (others.some((tile) => tile.key === before)) return before;
  return others[0]?.key ?? tiles[0]?.key ?? "";
}

// ---- words ----

function useWords() {
  const { text, language } = useAround();
  const time = (at: number) => new Date(at).toLocaleTimeString(language);
  const label = ({ source, self, name }: Tile) => self
    ? text(source.kind === "video" ? "stage.own.cam" : "stage.own.screen")
    : text(source.kind === "video" ? "stage.cam" : "stage.screen", { name });
  const worth = (shown: Shown, at: number) => shown === "nothing" ? text("stage.nothing")
    : shown === "still" ? text("stage.still", { time: time(at) })
    : shown === "stale" ? text("stage.stale", { time: time(at) }) : "";
  return { text, label, worth };
}

// Whether a member is heard, in words and a sign; nothing of those whose microphone is off.
export function VoiceSign({ streams, member }: { streams: Stream[]; member: string }) {
  const { text } = useAround();
  const voice = voiceOf(streams, member);
  if (!voice) return null;
  return (
    <span class={`voicing ${voice.speaking ? "speaks" : ""}`}>
      <Icon name={voice.speaking ? "talk" : "mic"} />
      {text(voice.speaking ? "voice.speaks" : "voice.open")}
    </span>
  );
}

// ---- one picture ----

export function Canvas({ source, label }: { source: Source; label: string }) {
  const { model } = useAround();
  const place = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const canvas = place.current!;
    const show = model.watch.open(source);
    show.attach(canvas);
    return () => {
      show.detach(canvas);
      model.watch.close(source);
    };
  }, [keyOf(source)]);
  return <canvas ref={place} role="img" aria-label={label} width={16} height={9} />;
}

// Drawn again when what a picture is worth changes, or has aged.
export function useLooks(): void {
  const { model } = useAround();
  const [, look] = useState(0);
  useEffect(() => {
    const again = () => look((count) => count + 1);
    const timer = setInterval(again, LOOK_MS);
    const end = model.watch.subscribe(again);
    return () => {
      clearInterval(timer);
      end();
    };
  }, []);
}

// `place`: where it stands in the row of small ones; -1: it is the large one.
function Picture({ tile, place, pinned, muted, reason, pin }: {
  tile: Tile; place: number; pinned: boolean; muted: boolean; reason: string; pin(): void;
}) {
  const { model } = useAround();
  const { text, label, worth } = useWords();
  const large = place < 0;
  const show = model.watch.find(tile.source);
  const shown = show?.state() ?? "nothing";
  const state = shown === "still" && tile.self && reason ? reason : worth(shown, show?.at ?? 0);
  const name = label(tile);
  return (
    <li class={`tile ${large ? "large" : ""} ${tile.speaking ? "speaks" : ""} ${shown}`}
      style={large ? { gridColumn: "1 / -1", gridRow: 1 } : { gridColumn: place + 2, gridRow: 2 }}
      data-bad={show?.bad || undefined}>
      <button type="button" aria-pressed={pinned} onClick={pin}
        title={text(pinned ? "stage.unpin" : "stage.pin")}>
        <Canvas source={tile.source} label={name} />
        <span class="caption" aria-hidden="true">
          {tile.self || tile.source.kind === "screen" ? name : <Said>{tile.name}</Said>}</span>
        {tile.speaking && <span class="sign"><Icon name="talk" />{text("voice.speaks")}</span>}
        {muted && tile.source.kind === "video" && <span class="sign"><Icon name="mic" off />
          <span class={large ? "" : "unseen"}>{text("voice.muted")}</span></span>}
        {pinned && <span class="sign pinned">{text("stage.pinned")}</span>}
      </button>
      {state && <p class="worth" title={state}>{state}</p>}
    </li>
  );
}

// ---- all of them ----

function FullScreen({ place }: { place: { current: HTMLElement | null } }) {
  const { text } = useAround();
  const [full, setFull] = useState(false);
  useEffect(() => {
    const changed = () => setFull(document.fullscreenElement !== null);
    document.addEventListener("fullscreenchange", changed);
    return () => document.removeEventListener("fullscreenchange", changed);
  }, []);
  if (!document.fullscreenEnabled) return null;
  return (
    <button type="button" class="quiet" aria-pressed={full} onClick={() => void (full
      ? document.exitFullscreen() : place.current!.requestFullscreen())}>
      {text("stage.full")}</button>
  );
}

const reasonOf = (state: State, kind: string) =>
  state.sources.find((source) => source.kind === kind)?.reason ?? "";

function Tiles({ state, tiles }: { state: State; tiles: Tile[] }) {
  const { text, label } = useWords();
  const { say } = useAround();
  const [pinned, setPinned] = useState("");
  const [hidden, setHidden] = useState(false);
  const before = useRef("");
  const place = useRef<HTMLElement>(null);
  useLooks();
  const large = largest(tiles, pinned, before.current);
  before.current = large;
  const small = tiles.filter((tile) => tile.key !== large).slice(0, TILES_MAX - 1);
  const shown = tiles.filter((tile) => tile.key === large || small.includes(tile));
  const pin = (tile: Tile) => {
    const off = pinned === tile.key;
    setPinned(off ? "" : tile.key);
    say(off ? text("stage.auto") : text("stage.now", { what: label(tile) }));
  };
  return (
    <section class={`stage ${hidden ? "folded" : ""} ${shown.length > 1 ? "several" : ""}`}
      ref={place} aria-labelledby="stage-title">
      <header>
        <h2 id="stage-title">{text("stage.title")}</h2>
        <div class="row">
          {!hidden && <FullScreen place={place} />}
          <button type="button" class="quiet" aria-expanded={!hidden}
            onClick={() => setHidden(!hidden)}>
            {text(hidden ? "stage.unfold" : "stage.fold")}</button>
        </div>
      </header>
      {!hidden && <ul style={{ "--small": small.length || 1 }}>
        {shown.map((tile) => (
          <Picture key={tile.key} tile={tile} place={small.indexOf(tile)} pinned={tile.key === pinned}
            pin={() => pin(tile)} muted={!voiceOf(state.streams, tile.source.member)}
            reason={tile.self ? reasonOf(state, tile.source.kind) : ""} />
        ))}
      </ul>}
      {!hidden && tiles.length > TILES_MAX &&
        <p class="hint">{text("stage.more", { n: tiles.length - TILES_MAX })}</p>}
    </section>
  );
}

export function Stage({ state }: { state: State }) {
  const { model, text } = useAround();
  useEffect(() => model.watch.claim(), []);
  const tiles = tilesOf(state);
  if (tiles.length === 0 || state.link !== "live") return null;
  if (!canDecode()) return <section class="stage"><p class="hint">{text("stage.unable")}</p></section>;
  return <Tiles state={state} tiles={tiles} />;
}

