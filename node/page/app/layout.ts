// SPDX-License-Identifier: MPL-2.0
// Where each member stands in the picture of the map: the same for the same map, so that nothing
// jumps about when a figure changes. A few stand in a circle; more in rings, the farther the more
// links lie between, round the one who looks.
import type { MapMember } from "./state";

export const CIRCLE_MAX = 12;
export const SIZE = { width: 400, height: 340, ring: 400 }; // of a circle; of rings both ways

const RADIUS = { x: 150, y: 125 };
const EDGE = 20; // free around the outermost ring
const ROOM = 14; // that a member needs along a ring
const LANES_MAX = 4; // into which a crowded ring is parted,
const LANES = 0.5; // all within so much of the distance of two rings

export interface Place { x: number; y: number }

export type Kind = "self" | "direct" | "relayed" | "absent";

export const kindOf = (member: MapMember): Kind => member.self ? "self"
  : !member.present ? "absent" : member.neighbour ? "direct" : "relayed";

const KINDS: Kind[] = ["self", "direct", "relayed", "absent"];

// Oneself, neighbours, whoever is reached through others, the absent; as `maillon map` has them.
export const inOrder = (members: MapMember[]) => [...members].sort((one, other) =>
  KINDS.indexOf(kindOf(one)) - KINDS.indexOf(kindOf(other)) || one.hops - other.hops);

const around = (turn: number, x: number, y: number, middle: Place): Place => ({
  x: Math.round((middle.x + Math.sin(turn * 2 * Math.PI) * x) * 10) / 10,
  y: Math.round((middle.y - Math.cos(turn * 2 * Math.PI) * y) * 10) / 10,
});

// In the order of the roster, which stays when someone comes or goes away.
function circle(members: MapMember[]): Map<string, Place> {
  const middle = { x: SIZE.width / 2, y: SIZE.height / 2 };
  return new Map(members.map(({ id }, at) =>
    [id, around(at / members.length, RADIUS.x, RADIUS.y, middle)]));
}

function rings(members: MapMember[]): Map<string, Place> {
  const middle = { x: SIZE.ring / 2, y: SIZE.ring / 2 };
  const farthest = Math.max(1, ...members.map((one) => one.present ? one.hops : 0));
  const ringOf = (one: MapMember) => one.self ? 0 : one.present ? Math.max(1, one.hops) : farthest + 1;
  const last = Math.max(...members.map(ringOf));
  const step = (SIZE.ring / 2 - EDGE) / last;
  const turns = new Map<string, number>();
  const places = new Map<string, Place>();
  for (let ring = 0; ring <= last; ring++) {
    // Beside those through whom they are reached.
    const here = members.filter((one) => ringOf(one) === ring)
      .sort((one, other) => (turns.get(one.via) ?? 0) - (turns.get(other.via) ?? 0));
    const length = 2 * Math.PI * step * Math.max(1, ring);
    const lanes = Math.min(LANES_MAX, Math.ceil(here.length * ROOM / length));
    here.forEach(({ id }, at) => {
      const turn = (at + ring / 2) / here.length;
      const radius = step * (ring - at % lanes / lanes * LANES);
      turns.set(id, turn % 1);
      places.set(id, around(turn, radius, radius, middle));
    });
  }
  return places;
}

export const layout = (members: MapMember[]) =>
  members.length > CIRCLE_MAX ? rings(members) : circle(members);
