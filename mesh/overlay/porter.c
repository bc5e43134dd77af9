/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/overlay/porter.h"

#include <sodium.h>
#include <string.h>

#include "mesh/core.h"

#define STAY_US      (60 * S) /* a guest not heard for so long is gone, */
#define KNOCK_US     (3 * S)  /* and one whom nobody answered, when there is no room for another */
#define WINDOW_US    S
#define ASKED        2     /* members that are given one hail */
#define MEMBER_RATE  32000 /* bytes a second, once it is in the roster */
#define MEMBER_AHEAD S
#define INIT_SIZE    (HANDSHAKE_INIT_OVERHEAD_SIZE + HANDSHAKE_PAYLOAD_SIZE)
#define AT_FAR_END   (MESH_HOPS_MAX - 1) /* hops left: it came by one already, as it were */

typedef struct {
    const uint8_t *to, *from; /* short keys */
    Bytes datagram;
} Pass;

static bool read_pass(Bytes bytes, Pass *ret_pass) {
    BytesReader reader = bytes_reader(bytes.data, bytes.length);

    bytes_read_u8(&reader);
    ret_pass->to = bytes_read(&reader, SHORT_KEY_SIZE);
    ret_pass->from = bytes_read(&reader, SHORT_KEY_SIZE);
    ret_pass->datagram = bytes_rest(&reader);
    return !reader.failed && ret_pass->datagram.length > 0 &&
           ret_pass->datagram.data[0] != PORTER_PASS;
}

static void transmit(Mesh *mesh, const MeshPath *path, const uint8_t to[SHORT_KEY_SIZE],
                     const uint8_t from[SHORT_KEY_SIZE], Bytes datagram) {
    uint8_t bytes[PORTER_HEAD_SIZE + MESH_DATAGRAM_MAX];
    BytesWriter writer = bytes_writer(bytes, MESH_DATAGRAM_MAX);

    bytes_write_u8(&writer, PORTER_PASS);
    bytes_write(&writer, to, SHORT_KEY_SIZE);
    bytes_write(&writer, from, SHORT_KEY_SIZE);
    bytes_write(&writer, datagram.data, datagram.length);
    if (writer.failed) {
        mesh->counters.limited++;
    } else {
        neighbour_transmit(mesh, path, BYTES_AT(bytes, bytes_written(&writer)), LINK_CONTROL);
    }
}

/* ---- the porter: guests ---- */

static bool is_here(const Mesh *mesh, const PorterGuest *guest) {
    return guest->heard_us > 0 && mesh->now_us < guest->heard_us + STAY_US;
}

static PorterGuest *find_guest(Mesh *mesh, const uint8_t key[SHORT_KEY_SIZE]) {
    for (size_t i = 0; i < MESH_GUESTS_MAX; i++) {
        PorterGuest *guest = &mesh->porter.guests[i];

        if (is_here(mesh, guest) && !memcmp(guest->key, key, SHORT_KEY_SIZE)) {
            return guest;
        }
    }
    return NULL;
}

static bool is_same_host(const MeshPath *a, const MeshPath *b) {
    return a->family == b->family && !memcmp(a->ip, b->ip, sizeof a->ip);
}

/* A place for a guest from this address: that of `guest`, who came from another before, or one more
 * (NULL); of those whom nobody answered the oldest gives way. */
static PorterGuest *find_place(Mesh *mesh, const MeshPath *path, PorterGuest *guest) {
    PorterGuest *place = guest;
    size_t neighbours = 0;

    for (size_t i = 0; i < MESH_GUESTS_MAX; i++) {
        PorterGuest *other = &mesh->porter.guests[i];
        bool here = is_here(mesh, other);

        neighbours += here && other != guest && is_same_host(&other->path, path);
        if (!here) {
            other->heard_us = 0;
        } else if (other->answered || mesh->now_us < other->heard_us + KNOCK_US) {
            continue;
        }
        if (!guest && (!place || other->heard_us < place->heard_us)) {
            place = other;
        }
    }
    return neighbours < MESH_GUESTS_HOST_MAX ? place : NULL;
}

/* Knocks and hails, of their sizes, are all that a guest may send before it is answered. */
static bool is_knock(Bytes datagram) {
    return (datagram.data[0] == HANDSHAKE_INIT && datagram.length <= INIT_SIZE) ||
           (datagram.data[0] == HAIL_HAIL && datagram.length == HAIL_SIZE);
}

static PorterGuest *admit(Mesh *mesh, const MeshPath *path, const Pass *pass) {
    PorterGuest *guest = find_guest(mesh, pass->from);

    if (guest && guest->answered) { /* else it is another with its key */
        return mesh_path_equal(&guest->path, path) ? guest : NULL;
    }
    if (!is_knock(pass->datagram)) {
        return NULL;
    }
    if (guest && mesh_path_equal(&guest->path, path)) {
        return guest;
    }
    guest = find_place(mesh, path, guest);
    if (guest) {
        *guest = (PorterGuest){.path = *path};
        memcpy(guest->key, pass->from, SHORT_KEY_SIZE);
    }
    return guest;
}

/* Whoever is in no roster costs little in all; a member as little as one can make another carry. */
static bool is_within(Mesh *mesh, PorterGuest *guest, size_t length) {
    uint64_t *paid_us = &guest->paid_us;

    if (!roster_has_short(&mesh->meeting.roster, guest->key)) {
        if (length > MESH_GUEST_BYTES_MAX - guest->bytes) {
            return false;
        }
        guest->bytes += (uint32_t)length;
        return true;
    }
    if (*paid_us > mesh->now_us + MEMBER_AHEAD) {
        return false;
    }
    *paid_us = (*paid_us > mesh->now_us ? *paid_us : mesh->now_us) + length * S / MEMBER_RATE;
    return true;
}

/* Of all whom nobody answered yet so many knocks a second go on. */
static bool is_in_window(Mesh *mesh, const PorterGuest *guest) {
    Porter *porter = &mesh->porter;

    if (mesh->now_us >= porter->window_us + WINDOW_US) {
        porter->window_us = mesh->now_us;
        porter->window_count = 0;
    }
    return guest->answered || porter->window_count++ < MESH_GUEST_KNOCKS_MAX;
}

/* ---- the porter: members ---- */

/* Who may admit, and is linked with so that its answer comes back here. */
static bool is_host(Mesh *mesh, const Neighbour *neighbour) {
    return neighbour && neighbour_is_direct(neighbour) && neighbour_is_greeted(mesh, neighbour) &&
           !core_is_relay(mesh, &neighbour->key);
}

static void pass_on(Mesh *mesh, Neighbour *host, const Pass *pass) {
    mesh->counters.forwarded += forward_for(mesh, host, pass->from, AT_FAR_END, pass->datagram);
}

static MeshError pass_to_some(Mesh *mesh, const Pass *pass) {
    Porter *porter = &mesh->porter;
    uint32_t asked = 0;

    for (uint32_t i = 0; i < MESH_PEERS_MAX && asked < ASKED; i++) {
        Neighbour *host = neighbour_at(mesh, porter->turn = (porter->turn + 1) % MESH_PEERS_MAX);

        if (is_host(mesh, host)) {
            pass_on(mesh, host, pass);
            asked++;
        }
    }
    return asked > 0 ? MESH_OK : MESH_ERROR_UNKNOWN;
}

static MeshError guest_knocks(Mesh *mesh, const MeshPath *path, const Pass *pass) {
    bool to_any = sodium_is_zero(pass->to, SHORT_KEY_SIZE);
    Neighbour *host = to_any ? NULL : neighbour_find_short(mesh, pass->to);
    PorterGuest *guest;

    if (map_first_hop_short(mesh, pass->from) || to_any != (pass->datagram.data[0] == HAIL_HAIL)) {
        return MESH_ERROR_FORBIDDEN; /* whoever is reached needs nobody at the door */
    }
    if (!to_any && !is_host(mesh, host)) {
        return MESH_ERROR_UNKNOWN;
    }
    guest = admit(mesh, path, pass);
    if (!guest || !is_in_window(mesh, guest) || !is_within(mesh, guest, pass->datagram.length)) {
        return MESH_ERROR_FULL;
    }
    guest->heard_us = mesh->now_us;
    if (to_any) {
        return pass_to_some(mesh, pass);
    }
    pass_on(mesh, host, pass);
    return MESH_OK;
}

MeshError porter_answer(Mesh *mesh, const uint8_t to[SHORT_KEY_SIZE],
                        const uint8_t from[SHORT_KEY_SIZE], Bytes datagram) {
    PorterGuest *guest = mesh->relay ? find_guest(mesh, to) : NULL;

    if (!guest) {
        return MESH_ERROR_UNKNOWN;
    }
    guest->answered = true;
    if (!is_within(mesh, guest, datagram.length)) {
        return MESH_ERROR_FULL;
    }
    transmit(mesh, &guest->path, to, from, datagram);
    mesh->counters.forwarded++;
    return MESH_OK;
}

/* ---- the joiner ---- */

void porter_knock(Mesh *mesh, const uint8_t *to, Bytes datagram) {
    static const uint8_t anyone[SHORT_KEY_SIZE];
    const Ticket *ticket = &mesh->admission.ticket;

    for (size_t i = 0; mesh->status == MESH_STATUS_JOINING && i < ticket->address_count; i++) {
        transmit(mesh, &ticket->addresses[i], to ? to : anyone, mesh->self.key.bytes, datagram);
    }
}

void porter_send(Mesh *mesh, const uint8_t to[SHORT_KEY_SIZE], Bytes datagram) {
    if (mesh->porter.way.kind != MESH_PATH_NONE) {
        transmit(mesh, &mesh->porter.way, to, mesh->self.key.bytes, datagram);
    }
}

/* Reads it as if it had come by itself; a porter is one that brings what makes sense. */
static MeshError deliver(Mesh *mesh, const MeshPath *path, const Pass *pass) {
    MeshPath carried = {.kind = MESH_PATH_RELAY, .agent = NEIGHBOUR_NONE};
    MeshPath before = mesh->porter.way;
    MeshError error;

    memcpy(carried.ip, pass->from, SHORT_KEY_SIZE);
    mesh->porter.way = *path; /* what is answered at once goes by it */
    mesh->neighbours.carried = true;
    error = neighbours_datagram(mesh, &carried, pass->datagram);
    mesh->neighbours.carried = false;
    if (error) {
        mesh->porter.way = before;
    }
    return MESH_OK;
}

MeshError porter_received(Mesh *mesh, const MeshPath *path, Bytes datagram) {
    bool joins = mesh->status == MESH_STATUS_JOINING || mesh->porter.way.kind != MESH_PATH_NONE;
    Pass pass;

    if (path->kind != MESH_PATH_KNOCK || mesh->neighbours.carried || !read_pass(datagram, &pass)) {
        return MESH_ERROR_MALFORMED;
    }
    if (mesh->relay && mesh->status == MESH_STATUS_MEMBER) {
        return guest_knocks(mesh, path, &pass);
    }
    return joins && !memcmp(pass.to, mesh->self.key.bytes, SHORT_KEY_SIZE)
               ? deliver(mesh, path, &pass)
               : MESH_ERROR_FOREIGN;
}
