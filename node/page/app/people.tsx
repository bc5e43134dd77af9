// SPDX-License-Identifier: MPL-2.0
// Who is here, and how each is reached, in words.
import { Queue } from "./hands";
import { LinkWords } from "./lines";
import type { Meeting, Member, Peer, State, Stream } from "./state";
import { VoiceSign } from "./tiles";
import { kept, Said, useAround } from "./ui";

const Person = kept(({ member, peer, members, hand, streams }: {
  member: Member; peer?: Peer; members: Member[]; hand: number;
  streams: Stream[];
}) => {
  const { text } = useAround();
  const notes = [member.self && text("people.you"),
    member.role !== "member" && text(`people.${member.role}`),
    member.forked && text("people.forked")].filter(Boolean);
  return (
    <li>
      <span class="who"><Said>{member.name}</Said>
        {notes.length > 0 && <span class="muted"> ({notes.join(", ")})</span>}</span>
      {hand > 0 && <span class="tag">{text("hands.turn", { n: hand })}</span>}
      <VoiceSign streams={streams} member={member.id} />
      {peer && <span class="link"><LinkWords peer={peer} members={members} /></span>}
    </li>
  );
});

const byId = <T extends { id: string }>(list: T[]) => new Map(list.map((one) => [one.id, one]));

export function People({ state, meeting, invite }: {
  state: State; meeting: Meeting; invite(): void;
}) {
  const { text } = useAround();
  const here = state.members.filter((member) => !member.expelled);
  const peers = byId(state.link === "live" ? state.peers : []);
  const hands = byId(state.hands);
  return (
    <section class="people" aria-labelledby="people-title">
      <header>
        <h2 id="people-title">{text("people.title")}</h2>
        <button type="button" onClick={invite}>{text("people.invite")}</button>
      </header>
      <Queue state={state} meeting={meeting} />
      <ul class="scroll" tabIndex={0} aria-labelledby="people-title">
        {here.map((member) => (
          <Person key={member.id} member={member} members={state.members} streams={state.streams}
            hand={hands.get(member.id)?.number ?? 0} peer={peers.get(member.id)} />
        ))}
      </ul>
      {here.length < 2 && <p class="hint">{text("people.alone")}</p>}
    </section>
  );
}
