// SPDX-License-Identifier: MPL-2.0
// The map of the meeting: who is linked with whom as a picture, and in words beneath it who is
// reached through whom; what changed last, and why.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useAnnounce } from "./announce";
import { CIRCLE_MAX, inOrder, kindOf, layout, SIZE, type Kind, type Place } from "./layout";
import type { MapLink, MapMember, MeshMap, State } from "./state";
import { momentText, Said, shownName, useAround, type Around } from "./ui";

const NAME_LETTERS = 10; // in the picture
const NUMBERS_MAX = 60; // with more members the picture has no numbers
const LOSS_MUCH = 0.05;
const ROOM_LITTLE = 64_000;

// Told by shape, never by colour alone.
const Sign = ({ kind, relay, x, y, size }: {
  kind: Kind; relay: boolean; x: number; y: number; size: number;
}) => {
  if (kind === "absent") {
    return <path class="absent" d={`M${x - size},${y - size}l${2 * size},${2 * size}m0,${-2 * size}l${-2 * size},${2 * size}`} />;
  }
  return (
    <>
      {kind === "self" && <circle class="around" cx={x} cy={y} r={size * 1.6} />}
      {relay ? <rect class={kind} x={x - size} y={y - size} width={2 * size} height={2 * size} />
        : <circle class={kind} cx={x} cy={y} r={size} />}
    </>
  );
};

const isWeak = (link: MapLink) => link.loss > LOSS_MUCH || link.room < ROOM_LITTLE;

function Line({ link, places, self }: { link: MapLink; places: Map<string, Place>; self: string }) {
  const a = places.get(link.a);
  const b = places.get(link.b);
  if (!a || !b) return null;
  const own = link.a === self || link.b === self;
  return <line x1={a.x} y1={a.y} x2={b.x} y2={b.y}
    class={`${own ? "own" : ""} ${!link.both ? "half" : isWeak(link) ? "thin" : ""}`} />;
}

// What the absent said of their links, or others of links with them, is over.
function liveLinks(map: MeshMap): MapLink[] {
  const here = new Set(map.members.flatMap(({ id, present }) => present ? id : []));
  return map.links.filter(({ a, b }) => here.has(a) && here.has(b));
}

const cut = (name: string) => {
  const letters = [...shownName(name)];
  return letters.length > NAME_LETTERS ? `${letters.slice(0, NAME_LETTERS - 1).join("")}…` : name;
};

function Picture({ map, ordered }: { map: MeshMap; ordered: MapMember[] }) {
  const { text } = useAround();
  const places = useMemo(() => layout(map.members), [map]);
  const few = ordered.length <= CIRCLE_MAX;
  const self = ordered.find((member) => member.self)?.id ?? "";
  const size = few ? 8 : ordered.length <= NUMBERS_MAX ? 5 : 3.5;
  const count = (kind: Kind) => ordered.filter((member) => kindOf(member) === kind).length;
  return (
    <svg class={`map ${few ? "" : "many"}`} viewBox={`0 0 ${few ? SIZE.width : SIZE.ring} ${few ? SIZE.height : SIZE.ring}`}
      role="img" aria-label={text("map.picture", { all: ordered.length, direct: count("direct"),
        relayed: count("relayed"), absent: count("absent") })}>
      {liveLinks(map).map((link) => (
        <Line key={link.a + link.b} link={link} places={places} self={self} />
      ))}
      {ordered.map((member, at) => {
        const { x, y } = places.get(member.id)!;
        return (
          <g key={member.id}>
            <Sign kind={kindOf(member)} relay={member.relay} x={x} y={y} size={size} />
            {few ? <text x={x} y={y < SIZE.height / 2 ? y - 17 : y + 26}>{cut(member.name)}{member.weak ? " !" : ""}</text>
              : ordered.length <= NUMBERS_MAX &&
                <text class="number" x={x} y={y + 18}>{at + 1}{member.weak ? "!" : ""}</text>}
          </g>
        );
      })}
    </svg>
  );
}

function wayText({ text }: Around, member: MapMember, names: Map<string, string>): string {
  const kind = kindOf(member);
  if (kind !== "relayed") return text(`map.${kind}`);
  const via = names.get(member.via) ?? text("map.someone");
  return text(member.hops > 2 ? "map.far" : "map.through", { via, links: member.hops });
}

// Whom each is linked with, by name.
function linkedOf(map: MeshMap, names: Map<string, string>): Map<string, string[]> {
  const found = new Map<string, string[]>(map.members.map(({ id }) => [id, []]));
  for (const { a, b } of liveLinks(map)) {
    found.get(a)!.push(names.get(b)!);
    found.get(b)!.push(names.get(a)!);
  }
  return found;
}

function Words({ map, ordered }: { map: MeshMap; ordered: MapMember[] }) {
  const all = useAround();
  const { text } = all;
  const names = useMemo(() => new Map(map.members.map(({ id, name }) => [id, shownName(name)])), [map]);
  const linked = useMemo(() => linkedOf(map, names), [map]);
  return (
    <ol class={`mapped ${ordered.length > CIRCLE_MAX ? "numbered" : ""}`}>
      {ordered.map((member) => (
        <li key={member.id}>
          <svg class="map sign" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
            <Sign kind={kindOf(member)} relay={member.relay} x={10} y={10} size={5} />
          </svg>{" "}
          <span class="who"><Said>{member.name}</Said></span>{" "}
          <span>{[wayText(all, member, names), member.weak && text("map.weak"),
            member.relay && text("map.relay")].filter(Boolean).join(", ")}</span>{" "}
          {linked.get(member.id)!.length > 0 && <span class="muted">{text("map.links",
            { names: linked.get(member.id)!.join(", ") })}</span>}
        </li>
      ))}
    </ol>
  );
}

// Said like what others do: now and then, or never. What stood there when it was opened is not new.
function Newest({ map }: { map: MeshMap }) {
  const all = useAround();
  const announce = useAnnounce();
  const last = map.changes[map.changes.length - 1];
  const newest = last && `${last.at} ${last.member}`;
  const seen = useRef(newest);
  useEffect(() => {
    if (last && newest !== seen.current) announce(`${last.text}.`);
    seen.current = newest;
  }, [newest]);
  return (
    <p class="newest-change">
      {last ? <><strong>{all.text("map.last", { time: momentText(all, new Date(last.at)) })}</strong>{" "}
        <Said>{`${last.text}.`}</Said></> : <span class="muted">{all.text("map.calm")}</span>}
    </p>
  );
}

export function MapPart({ state }: { state: State }) {
  const { model, text } = useAround();
  const [open, setOpen] = useState(false);
  const { map } = state;
  const ordered = useMemo(() => map ? inOrder(map.members) : [], [map]);
  useEffect(() => {
    model.chart(open);
    return () => model.chart(false);
  }, [open]);
  return (
    <details class="mapping" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{text("map.open")}</summary>
      {map && <>
        <Newest map={map} />
        <Picture map={map} ordered={ordered} />
        <p class="hint">{text("map.legend")}</p>
        <Words map={map} ordered={ordered} />
      </>}
    </details>
  );
}
