// SPDX-License-Identifier: MPL-2.0
// What the page shows: the node's own words, as of the last snapshot and the events since. It adds
// nothing the node has not said; a thing that is told again replaces what was known of it.
import type { Json, LinkState } from "./link";

export interface Meeting {
  id: string; title: string; members: number; current: boolean; role: string; state: string;
}
export interface Member {
  id: string; name: string; role: string; self: boolean; expelled: boolean; forked: boolean;
}
export interface Peer {
  id: string; name: string; state: "up" | "connecting" | "down"; path: string; via: string;
  rtt_ms: number; loss: number; rate_bps: number; reason: string; line: string;
  silent_ms: number; // -1: it never answered since the node began
  unconfirmed: number | null; // of what was written here since then; null: not known
  neighbour: boolean; // linked with, nobody between
  hops: number; // links on the way; 0: not up
  since: number; // when it last answered, by the clock of this machine; 0: not known
}
export interface MapMember {
  id: string; name: string; self: boolean; present: boolean; hops: number; via: string;
  weak: boolean; relay: boolean; neighbour: boolean;
}
export interface MapLink {
  a: string; b: string; rtt_ms: number | null; loss: number; room: number; both: boolean;
}
export interface MapChange { at: string; member: string; text: string }
// Who is linked with whom, while it is looked at.
export interface MeshMap { members: MapMember[]; links: MapLink[]; changes: MapChange[] }
export interface Hand { number: number; id: string; name: string; self: boolean }
export interface Voter { id: string; name: string; voted: boolean; choice: string }
export interface Message {
  id: string; author: string; name: string; text: string; sent_at: string;
  voice?: { duration_ms: number; whole: boolean };
}
export interface Doc { id: string; author: string; name: string; size: number; have: number }
export interface Motion {
  id: string; author: string; text: string; state: "open" | "closed" | "void"; counted: number;
  tally: Record<string, number>; outcome: string; own_vote: string; voters: Voter[];
}
export interface Source {
  kind: "voice" | "video" | "screen"; codec: string; packet_ms: number; reason: string;
}

// Of several about one member's line the newest counts.
export interface Notice {
  number: number; text: string; texts?: Record<string, string>; member?: string;
}

// Who is heard or seen now; one's own too.
export interface Stream { member: string; kind: Source["kind"]; speaking?: boolean }

// Live voice reaches nobody, and why; a message of voice would.
export interface Offer { reason: string; reasons: Record<string, string> }

export interface State {
  link: LinkState;
  known: boolean; // a snapshot was had
  id: string;
  name: string;
  locked: boolean;
  meetings: Meeting[];
  members: Member[];
  peers: Peer[];
  map: MeshMap | null; // not looked at
  messages: Message[];
  documents: Doc[];
  motions: Motion[];
  hands: Hand[]; // who asks to speak, in order
  sources: Source[];
  streams: Stream[];
  offer: Offer | null;
  notices: Notice[]; // the newest few
}

export type Action =
  | { kind: "link"; link: LinkState }
  | { kind: "event"; event: Json }
  | { kind: "forget"; notice: number }
  | { kind: "had"; part: Partial<State> };

export const NOTICES_MAX = 3;
const SINCE_MS = 2000; // a moment computed from an age, told anew, is as exact as that

export const nothing: State = {
  link: "connecting", known: false, id: "", name: "", locked: true, meetings: [], members: [],
  peers: [], map: null, messages: [], documents: [], motions: [], hands: [], sources: [], streams: [], offer: null,
  notices: [],
};

export const isMicrophoneOn = (state: State) => state.sources.some((one) => one.kind === "voice");

export const current = (state: State) => state.meetings.find((meeting) => meeting.current);

function put<T extends { id: string }>(list: T[], thing: T): T[] {
  const at = list.findIndex((one) => one.id === thing.id);
  if (at < 0) return [...list, thing];
  return [...list.slice(0, at), thing, ...list.slice(at + 1)];
}

// The meeting's common order may grow in the middle: a message says after which it stands.
function putMessage(list: Message[], message: Message, previous: string): Message[] {
  if (list.length > 0 && list[list.length - 1].id === previous) return [...list, message];
  if (list.some((one) => one.id === message.id)) return put(list, message);
  const after = list.findIndex((one) => one.id === previous);
  return [...list.slice(0, after + 1), message, ...list.slice(after + 1)];
}

function putMeeting(list: Meeting[], meeting: Meeting): Meeting[] {
  const others = meeting.current ? list.map((one) => ({ ...one, current: false })) : list;
  return put(others, meeting);
}

// A peer that is told without its figures keeps when it last answered.
export const dated = (peer: Json): Peer =>
  ({ ...peer, since: peer.silent_ms > 0 ? Date.now() - peer.silent_ms : 0 });

// What did not change stays the same thing, so that it is not drawn anew.
export function settled(before: Peer[], peers: Peer[]): Peer[] {
  const known = new Map(before.map((one) => [one.id, one]));
  return peers.map((peer) => {
    const was = known.get(peer.id);
    return was && (Object.keys(peer) as (keyof Peer)[]).every((name) => name === "silent_ms" ||
      (name === "since" ? Math.abs(was.since - peer.since) < SINCE_MS : was[name] === peer[name]))
      ? was : peer;
  });
}

const sameStream = (one: Stream, other: Stream) =>
  one.member === other.member && one.kind === other.kind;

function putStream(list: Stream[], { member, kind, live }: Json): Stream[] {
  const others = list.filter((one) => !sameStream(one, { member, kind }));
  if (!live) return others;
  return others.length < list.length ? list : [...list, { member, kind }];
}

// Of a newer node perhaps, which offers something else.
export const offered = (offer?: Json): Offer | null => offer?.offer === "voice send"
  ? { reason: offer.reason, reasons: offer.reasons } : null;

function heard(state: State, event: Json): State {
  if (event.event === "meeting" || event.event === "expelled") {
    return { ...state, meetings: putMeeting(state.meetings, event.state) };
  }
  if (event.event === "notice") {
    const { number, text, texts, member } = event;
    const others = state.notices.filter((one) => !member || one.member !== member);
    return { ...state, notices: [...others, { number, text, texts, member }].slice(-NOTICES_MAX) };
  }
  if (!event.current) return state;
  switch (event.event) {
    case "member":
    case "fork":
      return { ...state, members: put(state.members, event.member) };
    case "peer":
    case "line":
      return { ...state, peers: put(state.peers, dated(event.peer)) };
    case "message":
      return { ...state, messages: putMessage(state.messages, event.message, event.previous) };
    case "document":
      return { ...state, documents: put(state.documents, event.document) };
    case "motion":
      return { ...state, motions: put(state.motions, event.motion) };
    case "hand":
      return { ...state, hands: event.hands };
    case "offer":
      return { ...state, offer: offered(event) };
    case "stream":
      return { ...state, streams: putStream(state.streams, event) };
    case "speaking":
      return { ...state, streams: state.streams.map((one) =>
        one.member === event.member && one.kind === "voice"
          ? { ...one, speaking: event.speaking } : one) };
    default:
      return state; // of a newer node perhaps
  }
}

export function reduce(state: State, action: Action): State {
  switch (action.kind) {
    case "link":
      return { ...state, link: action.link };
    case "event":
      return heard(state, action.event);
    case "forget":
      return { ...state,
        notices: state.notices.filter((notice) => notice.number !== action.notice) };
    case "had":
      return { ...state, ...action.part };
  }
}
