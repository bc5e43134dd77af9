// SPDX-License-Identifier: MPL-2.0
// Who is here, and how each is reached, in words.
import type { Member, Peer, State } from "./state";
import { number, rateText, Said, useAround } from "./ui";

function Link({ peer, members }: { peer: Peer; members: Member[] }) {
  const all = useAround();
  const { text, language } = all;
  const via = members.find((member) => member.id === peer.via)?.name;
  const state = peer.state !== "up" ? `peer.${peer.state}`
    : peer.path !== "relayed" ? "peer.up.direct"
    : via ? "peer.up.relayed" : "peer.up.relayed.someone";
  return (
    <>
      <span class={`dot ${peer.state}`} aria-hidden="true" />
      <span>{text(state, { via: via ?? "" })}</span>
      {peer.state === "up" && peer.rate_bps > 0 && <span class="figures">{text("peer.figures", {
        rate: rateText(all, peer.rate_bps), rtt: number(language, peer.rtt_ms, 0),
        loss: number(language, peer.loss * 100, peer.loss > 0 && peer.loss < 0.01 ? 1 : 0),
      })}</span>}
      {peer.reason && <span class="reason">{peer.reason}</span>}
    </>
  );
}

function Person({ member, peer, members }: { member: Member; peer?: Peer; members: Member[] }) {
  const { text } = useAround();
  const notes = [member.self && text("people.you"),
    member.role !== "member" && text(`people.${member.role}`),
    member.forked && text("people.forked")].filter(Boolean);
  return (
    <li>
      <span class="who"><Said>{member.name}</Said>
        {notes.length > 0 && <span class="muted"> ({notes.join(", ")})</span>}</span>
      {peer && <span class="link"><Link peer={peer} members={members} /></span>}
    </li>
  );
}

export function People({ state, invite }: { state: State; invite(): void }) {
  const { text } = useAround();
  const here = state.members.filter((member) => !member.expelled);
  return (
    <section class="people" aria-labelledby="people-title">
      <header>
        <h2 id="people-title">{text("people.title")}</h2>
        <button type="button" onClick={invite}>{text("people.invite")}</button>
      </header>
      <ul class="scroll" tabIndex={0} aria-labelledby="people-title">
        {here.map((member) => (
          <Person key={member.id} member={member} members={state.members}
            peer={state.link !== "live" ? undefined : state.peers.find((peer) => peer.id === member.id)} />
        ))}
      </ul>
      {here.length < 2 && <p class="hint">{text("people.alone")}</p>}
    </section>
  );
}
