/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/sim/network.h"

#include <string.h>

#define PORT            40000
#define UDP_HEADER_SIZE 28
#define REPLAY_US       60000000

typedef struct {
    bool placed;
    unsigned site;
    unsigned moves;
    MeshPath address;
} Host;

typedef struct {
    Nat *nat; /* NULL: open */
    unsigned rebinds;
} Site;

struct Network {
    Schedule *schedule;
    NetworkDeliver deliver;
    gpointer context;
    Dice dice;
    Host hosts[NETWORK_HOSTS];
    Site sites[NETWORK_SITES];
    unsigned site_count;
    Wiring *wiring;
    Line *uplinks[NETWORK_HOSTS]; /* NULL: as wide as can be */
    unsigned sender;              /* of what was last delivered */
};

/* Before the bytes of a datagram on its way. */
typedef struct {
    unsigned from, to;
    unsigned moves;  /* of the destination, when it was sent */
    MeshPath seen;   /* from where */
    MeshPath public; /* NONE, or the address of a NAT, that has its say on arrival */
} Letter;

#define LETTER_MAX (sizeof(Letter) + MESH_DATAGRAM_MAX)

/* One that somebody kept, to let it come again. */
typedef struct {
    Network *network;
    GBytes *letter;
} Replay;

static void land(gpointer context, const uint8_t *bytes, size_t length);
static void land_uplink(gpointer context, const uint8_t *bytes, size_t length);

Network *network_create(Schedule *schedule, uint64_t seed, NetworkDeliver deliver,
                        gpointer context) {
    Network *network = g_new0(Network, 1);

    network->schedule = schedule;
    network->deliver = deliver;
    network->context = context;
    dice_init(&network->dice, seed, DICE_NETWORK);
    network->wiring = wiring_create(schedule, seed, land, network);
    return network;
}

void network_destroy(Network *network) {
    for (unsigned i = 0; i < network->site_count; i++)
        g_clear_pointer(&network->sites[i].nat, nat_destroy);
    for (unsigned from = 0; from < NETWORK_HOSTS; from++) {
        if (network->uplinks[from])
            line_finish(network->uplinks[from]);
        g_free(network->uplinks[from]);
    }
    wiring_destroy(network->wiring);
    g_free(network);
}

static void public_ip(const Network *network, unsigned site, uint8_t ret_ip[4]) {
    uint8_t ip[4] = {203, 0, (uint8_t)site, (uint8_t)(1 + network->sites[site].rebinds % 250)};

    memcpy(ret_ip, ip, sizeof ip);
}

unsigned network_site(Network *network, NatKind kind) {
    unsigned site = network->site_count++;
    uint8_t ip[4];

    g_assert_cmpuint(site, <, NETWORK_SITES);
    public_ip(network, site, ip);
    if (kind != NAT_NONE)
        network->sites[site].nat = nat_create(kind, ip, emulator_random_next(&network->dice));
    return site;
}

void network_place(Network *network, unsigned host, unsigned site) {
    Host *placed = &network->hosts[host];
    bool open = !network->sites[site].nat;
    uint8_t ip[4] = {open ? 198 : 10, (uint8_t)site, 0, (uint8_t)(host + 1)};

    placed->moves += placed->placed;
    placed->placed = true;
    placed->site = site;
    ip[2] = (uint8_t)placed->moves;
    placed->address = (MeshPath){.kind = MESH_PATH_KNOCK, .family = 4};
    placed->address.port = (uint16_t)(PORT + host);
    memcpy(placed->address.ip, ip, sizeof ip);
}

unsigned network_site_of(const Network *network, unsigned host) {
    return network->hosts[host].site;
}

unsigned network_site_size(const Network *network, unsigned site) {
    unsigned size = 0;

    for (unsigned i = 0; i < NETWORK_HOSTS; i++)
        size += network->hosts[i].placed && network->hosts[i].site == site;
    return size;
}

MeshPath network_address(const Network *network, unsigned host) {
    return network->hosts[host].address;
}

void network_rebind(Network *network, unsigned site) {
    uint8_t ip[4];

    network->sites[site].rebinds++;
    public_ip(network, site, ip);
    if (network->sites[site].nat)
        nat_rebind(network->sites[site].nat, ip);
}

/* ---- lines ---- */

Line *network_line(Network *network, unsigned from, unsigned to) {
    return wiring_line(network->wiring, from, to);
}

Line *network_uplink(Network *network, unsigned host) {
    char name[8];

    if (!network->uplinks[host]) {
        network->uplinks[host] = g_new0(Line, 1);
        wiring_name(host, name);
        g_strlcat(name, ">", sizeof name);
        line_init(network->uplinks[host], name, emulator_random_next(&network->dice),
                  network->schedule, schedule_now_us(network->schedule), land_uplink, network);
    }
    return network->uplinks[host];
}

void network_set_some(Network *network, Hosts from, Hosts to, const LineSettings *settings) {
    wiring_change(network->wiring, &from, &to, settings);
}

void network_set_lines(Network *network, const LineSettings *settings) {
    network_set_some(network, hosts_all(), hosts_all(), settings);
}

void network_deafen(Network *network, Hosts from, Hosts to, bool deaf) {
    wiring_cut(network->wiring, &from, &to, deaf);
}

void network_split(Network *network, Hosts one, Hosts other, bool cut) {
    network_deafen(network, one, other, cut);
    network_deafen(network, other, one, cut);
}

void network_heal(Network *network) {
    network_deafen(network, hosts_all(), hosts_all(), false);
}

/* ---- arriving ---- */

static void replay_destroy(gpointer data) {
    Replay *replay = data;

    g_bytes_unref(replay->letter);
    g_free(replay);
}

/* Changes some bits, or cuts the end off; the length. */
static size_t damage(Network *network, uint8_t *bytes, size_t length) {
    uint64_t flips = dice_between(&network->dice, 1, 4);

    for (uint64_t i = 0; i < flips; i++)
        bytes[dice_below(&network->dice, length)] ^= (uint8_t)(1U << dice_below(&network->dice, 8));
    return dice_below(&network->dice, 4) ? length : 1 + (size_t)dice_below(&network->dice, length);
}

static void arrive(Network *network, const Letter *letter, const uint8_t *bytes, size_t length) {
    Host *host = &network->hosts[letter->to];
    MeshEvent event = {.kind = MESH_EVENT_DATAGRAM};

    if (host->moves != letter->moves)
        return;
    if (letter->public.kind != MESH_PATH_NONE &&
        !nat_in(network->sites[host->site].nat, schedule_now_us(network->schedule), &letter->public,
                &letter->seen))
        return;
    event.datagram.path = letter->seen;
    event.datagram.bytes = bytes;
    event.datagram.length = length;
    network->sender = letter->from;
    network_deliver(network, letter->to, &event);
}

static void come_again(gpointer data) {
    Replay *replay = data;
    const uint8_t *bytes = g_bytes_get_data(replay->letter, NULL);
    Letter letter;

    memcpy(&letter, bytes, sizeof letter);
    arrive(replay->network, &letter, bytes + sizeof letter,
           g_bytes_get_size(replay->letter) - sizeof letter);
}

static void land(gpointer context, const uint8_t *bytes, size_t length) {
    Network *network = context;
    uint8_t copy[MESH_DATAGRAM_MAX];
    const Line *line;
    Letter letter;

    memcpy(&letter, bytes, sizeof letter);
    line = network_line(network, letter.from, letter.to);
    length -= sizeof letter;
    memcpy(copy, bytes + sizeof letter, length);
    if (dice_ppm(&network->dice, line->replay_ppm)) {
        Replay *replay = g_new0(Replay, 1);

        replay->network = network;
        replay->letter = g_bytes_new(bytes, sizeof letter + length);
        schedule_add(network->schedule, dice_below(&network->dice, REPLAY_US), come_again, replay,
                     replay_destroy);
    }
    if (length > 0 && dice_ppm(&network->dice, line->damage_ppm))
        length = damage(network, copy, length);
    if (length > 0)
        arrive(network, &letter, copy, length);
}

/* ---- sending ---- */

static void land_uplink(gpointer context, const uint8_t *bytes, size_t length) {
    Network *network = context;
    Letter letter;

    memcpy(&letter, bytes, sizeof letter);
    line_send(network_line(network, letter.from, letter.to), bytes, length,
              length - sizeof letter + UDP_HEADER_SIZE);
}

static void fly(Network *network, unsigned from, unsigned to, const MeshPath *seen,
                const MeshPath *public, Bytes bytes) {
    Letter letter = {from, to, network->hosts[to].moves, *seen, *public};
    Line *uplink = network->uplinks[from];
    uint8_t buffer[LETTER_MAX];

    memcpy(buffer, &letter, sizeof letter);
    memcpy(buffer + sizeof letter, bytes.data, bytes.length);
    line_send(uplink ? uplink : network_line(network, from, to), buffer,
              sizeof letter + bytes.length, bytes.length + UDP_HEADER_SIZE);
}

void network_foreign(Network *network, unsigned from, unsigned to, size_t ip_bytes) {
    Letter letter = {.from = from, .to = to};

    line_send(network_line(network, from, to), (const uint8_t *)&letter, sizeof letter, ip_bytes);
}

/* Every host has a port of its own. */
static bool host_at(const Network *network, const MeshPath *address, unsigned *ret_host) {
    unsigned host = (unsigned)address->port - PORT;

    if (address->port < PORT || host >= NETWORK_HOSTS || !network->hosts[host].placed ||
        !mesh_path_equal(&network->hosts[host].address, address))
        return false;
    *ret_host = host;
    return true;
}

/* Which host a public address leads to, behind a NAT or not. */
static bool find_outside(Network *network, const MeshPath *to, unsigned *ret_host,
                         MeshPath *ret_public) {
    uint64_t now_us = schedule_now_us(network->schedule);
    unsigned site;
    MeshPath inner;

    if (host_at(network, to, ret_host))
        return !network->sites[network->hosts[*ret_host].site].nat;
    site = to->ip[2];
    if (site < network->site_count && network->sites[site].nat &&
        nat_owner(network->sites[site].nat, now_us, to, &inner) &&
        host_at(network, &inner, ret_host)) {
        *ret_public = *to;
        return true;
    }
    return false;
}

void network_send(Network *network, unsigned from, const MeshPath *to, Bytes bytes) {
    Host *sender = &network->hosts[from];
    Site *site = &network->sites[sender->site];
    MeshPath seen = sender->address, public = {.kind = MESH_PATH_NONE};
    unsigned host;

    if (host_at(network, to, &host) && network->hosts[host].site == sender->site) {
        fly(network, from, host, &seen, &public, bytes);
        return;
    }
    if (site->nat)
        seen = nat_out(site->nat, schedule_now_us(network->schedule), &sender->address, to);
    if (find_outside(network, to, &host, &public) && network->hosts[host].site != sender->site)
        fly(network, from, host, &seen, &public, bytes);
}

void network_beacon(Network *network, unsigned from, Bytes bytes) {
    Host *sender = &network->hosts[from];
    MeshPath none = {.kind = MESH_PATH_NONE};

    for (unsigned to = 0; to < NETWORK_HOSTS; to++)
        if (to != from && network->hosts[to].placed && network->hosts[to].site == sender->site)
            fly(network, from, to, &sender->address, &none, bytes);
}

void network_carry(Network *network, unsigned from, unsigned to, const MeshPath *seen,
                   Bytes bytes) {
    MeshPath none = {.kind = MESH_PATH_NONE};

    fly(network, from, to, seen, &none, bytes);
}

/* ---- what ICE wants to know ---- */

unsigned network_rebinds(const Network *network, unsigned host) {
    return network->sites[network->hosts[host].site].rebinds;
}

unsigned network_moves(const Network *network, unsigned host) {
    return network->hosts[host].moves;
}

bool network_same_site(const Network *network, unsigned a, unsigned b) {
    return network->hosts[a].site == network->hosts[b].site;
}

bool network_has_public(const Network *network, const MeshPath *paths, size_t count) {
    unsigned host;

    for (size_t i = 0; i < count; i++)
        if (host_at(network, &paths[i], &host) && !network->sites[network->hosts[host].site].nat)
            return true;
    return false;
}

bool network_can_punch(Network *network, unsigned a, bool a_known, unsigned b, bool b_known) {
    const Nat *one = network->sites[network->hosts[a].site].nat;
    const Nat *other = network->sites[network->hosts[b].site].nat;

    if (line_is_cut(network_line(network, a, b)) || line_is_cut(network_line(network, b, a)))
        return false;
    if (network_same_site(network, a, b) || !one || !other)
        return true;
    return nat_kind(one) == NAT_CONE && nat_kind(other) == NAT_CONE && a_known && b_known;
}

unsigned network_sender(const Network *network) {
    return network->sender;
}

void network_deliver(Network *network, unsigned host, const MeshEvent *event) {
    network->deliver(network->context, host, event);
}
