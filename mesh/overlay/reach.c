/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/overlay/reach.h"

#include <stdlib.h>
#include <string.h>

#include "mesh/core.h"
#include "mesh/memory.h"
#include "mesh/overlay/message.h"

#define KEPT_WORD "peer"
#define KEPT_US   (10 * S) /* between two times of keeping where one member is */

void reach_finish(Mesh *mesh) {
    free(mesh->reach.kept);
}

/* ---- addresses ---- */

static bool is_loopback(const MeshPath *path) {
    static const uint8_t loopback6[16] = {[15] = 1};

    return path->family == 4 ? path->ip[0] == 127 : !memcmp(path->ip, loopback6, 16);
}

/* Of one node, not of a group of them or of none. */
static bool is_host(const MeshPath *path) {
    static const uint8_t none[16];

    return path->port != 0 && memcmp(path->ip, none, sizeof none) != 0 &&
           (path->family == 4 ? path->ip[0] > 0 && path->ip[0] < 224 : path->ip[0] != 0xff);
}

bool reach_is_portable(const MeshPath *path) {
    return path->kind == MESH_PATH_KNOCK && !mesh_path_is_link_local(path) && is_host(path);
}

static size_t add(MeshPath *addresses, size_t count, size_t room, const MeshPath *path) {
    if (count == room || !reach_is_portable(path)) {
        return count;
    }
    for (size_t i = 0; i < count; i++) {
        if (mesh_path_equal(&addresses[i], path)) {
            return count;
        }
    }
    addresses[count] = *path;
    return count + 1;
}

size_t reach_own_addresses(Mesh *mesh, MeshPath *ret_addresses, size_t room) {
    bool trusting = mesh->status != MESH_STATUS_MEMBER; /* a joiner knows nobody yet */
    size_t count = 0;

    for (size_t i = 0; i < mesh->reach.own_count && count < room; i++) {
        count = add(ret_addresses, count, room, &mesh->reach.own[i]);
    }
    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        const Neighbour *neighbour = neighbour_at(mesh, slot);

        if (neighbour && !is_loopback(&neighbour->seen) &&
            (trusting ? neighbour_is_up(neighbour) : neighbour_is_trusted(mesh, neighbour))) {
            count = add(ret_addresses, count, room, &neighbour->seen);
        }
    }
    return count;
}

void reach_write_own(Mesh *mesh, BytesWriter *writer) {
    MeshPath addresses[REACH_WRITTEN_SIZE];
    size_t count = reach_own_addresses(mesh, addresses, REACH_WRITTEN_SIZE);

    bytes_write_u8(writer, (uint8_t)count);
    for (size_t i = 0; i < count; i++) {
        mesh_path_write(writer, &addresses[i]);
    }
}

size_t reach_read_addresses(BytesReader *reader, MeshPath ret_addresses[MESH_ADDRESSES_MAX]) {
    size_t count = bytes_read_u8(reader);
    size_t kept = 0;

    for (size_t i = 0; i < count && !reader->failed; i++) {
        MeshPath path = mesh_path_read(reader);

        if (!reader->failed) {
            kept = add(ret_addresses, kept, MESH_ADDRESSES_MAX, &path);
        }
    }
    return kept;
}

size_t reach_ticket_addresses(Mesh *mesh, MeshPath *ret_addresses, size_t room) {
    MeshPath own[MESH_ADDRESSES_MAX];
    size_t own_count = reach_own_addresses(mesh, own, MESH_ADDRESSES_MAX);
    size_t count = 0;

    /* Two of ours leave room for one who may be reachable when we are not. */
    for (size_t i = 0; i < own_count && i < 2; i++) {
        count = add(ret_addresses, count, room, &own[i]);
    }
    /* A relay, which is there to be reached, before others. */
    for (int relay = 1; relay >= 0; relay--) {
        for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
            const Neighbour *neighbour = neighbour_at(mesh, slot);

            if (neighbour && neighbour_is_direct(neighbour) && !is_loopback(&neighbour->path) &&
                core_is_relay(mesh, &neighbour->key) == relay) {
                count = add(ret_addresses, count, room, &neighbour->path);
            }
        }
    }
    for (size_t i = 2; i < own_count; i++) {
        count = add(ret_addresses, count, room, &own[i]);
    }
    return count;
}

static void tell_addresses(Mesh *mesh, Neighbour *neighbour) {
    uint8_t body[256];
    BytesWriter writer = bytes_writer(body, sizeof body);

    if (neighbour->path.kind == MESH_PATH_KNOCK) {
        mesh_path_write(&writer, &neighbour->path);
    } else {
        bytes_write_u8(&writer, 0);
    }
    reach_write_own(mesh, &writer);
    neighbour_send(mesh, neighbour, LINK_CONTROL, UINT64_MAX, MESSAGE_ADDRESSES,
                   BYTES_AT(body, bytes_written(&writer)));
}

void reach_own(Mesh *mesh, const MeshPath *paths, size_t count) {
    Reach *reach = &mesh->reach;
    bool any = reach->own_count > 0;
    bool moved;

    count = count < MESH_ADDRESSES_MAX ? count : MESH_ADDRESSES_MAX;
    moved = any && count != reach->own_count;
    for (size_t i = 0; i < count; i++) {
        moved |= any && !mesh_path_equal(&reach->own[i], &paths[i]);
        reach->own[i] = paths[i];
    }
    reach->own_count = count;
    if (moved) {
        route_wake(mesh);
    }
    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        Neighbour *neighbour = neighbour_at(mesh, slot);

        if (neighbour && neighbour_is_up(neighbour)) {
            tell_addresses(mesh, neighbour);
        }
    }
    reach_soon(mesh);
}

/* ---- what neighbours tell ---- */

void reach_greet(Mesh *mesh, Neighbour *neighbour) {
    tell_addresses(mesh, neighbour);
}

/* Those who do not reach us directly may do so at an address that we just learnt to be ours. */
static void tell_relayed(Mesh *mesh, const Neighbour *except) {
    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        Neighbour *neighbour = neighbour_at(mesh, slot);

        if (neighbour && neighbour != except && neighbour_is_up(neighbour) &&
            neighbour->path.kind == MESH_PATH_RELAY) {
            tell_addresses(mesh, neighbour);
        }
    }
}

MeshError reach_addresses_received(Mesh *mesh, Neighbour *neighbour, Bytes body) {
    BytesReader reader = bytes_reader(body.data, body.length);
    MeshPath addresses[MESH_ADDRESSES_MAX];
    MeshPath seen = {.kind = MESH_PATH_NONE};
    size_t count;
    bool moved;

    if (body.length > 0 && body.data[0] == 0) {
        bytes_read_u8(&reader);
    } else {
        seen = mesh_path_read(&reader);
    }
    count = reach_read_addresses(&reader, addresses);
    if (reader.failed) {
        return MESH_ERROR_MALFORMED;
    }
    moved = !mesh_path_equal(&neighbour->seen, &seen);
    neighbour->seen = seen;
    if (moved && reach_is_portable(&seen)) {
        tell_relayed(mesh, neighbour);
    }
    for (size_t i = count; i-- > 0;) {
        neighbour_add_address(neighbour, &addresses[i]);
    }
    neighbour->direct_tries = 0;
    neighbour->direct_next_us = mesh->now_us;
    if (neighbour->path.kind == MESH_PATH_KNOCK) {
        neighbour_add_address(neighbour, &neighbour->path);
    } else if (neighbour->upgrade == UPGRADE_NONE) {
        upgrade_again(neighbour, mesh->now_us);
    }
    reach_keep_addresses(mesh, neighbour);
    return MESH_OK;
}

/* ---- kept, on disk too ---- */

static const ReachKept *find_kept(const Mesh *mesh, const MeshKey *key) {
    for (size_t i = 0; i < mesh->reach.kept_count; i++) {
        if (mesh_key_equal(&mesh->reach.kept[i].key, key)) {
            return &mesh->reach.kept[i];
        }
    }
    return NULL;
}

bool reach_recalls(const Mesh *mesh, const MeshKey *key) {
    const ReachKept *kept = find_kept(mesh, key);

    return kept && kept->count > 0;
}

void reach_recall(Mesh *mesh, Neighbour *neighbour) {
    const ReachKept *kept = find_kept(mesh, &neighbour->key);

    for (size_t i = kept ? kept->count : 0; i-- > 0;) {
        neighbour_add_address(neighbour, &kept->addresses[i]);
    }
}

/* The place for what is kept of one member; NULL when there is none. */
static ReachKept *place_of(Reach *reach, const MeshKey *key) {
    for (size_t i = 0; i < reach->kept_count; i++) {
        if (mesh_key_equal(&reach->kept[i].key, key)) {
            return &reach->kept[i];
        }
    }
    if (reach->kept_count == MESH_MEMBERS_MAX ||
        !memory_grow((void **)&reach->kept, &reach->kept_capacity, reach->kept_count,
                     sizeof *reach->kept)) {
        return NULL;
    }
    reach->kept[reach->kept_count] = (ReachKept){.key = *key};
    return &reach->kept[reach->kept_count++];
}

static void remember(Mesh *mesh, const MeshKey *key, const MeshPath *addresses, size_t count) {
    ReachKept *kept = place_of(&mesh->reach, key);

    if (kept) {
        kept->hearsay = false;
        kept->count = count < REACH_KEPT_SIZE ? count : REACH_KEPT_SIZE;
        memcpy(kept->addresses, addresses, kept->count * sizeof *addresses);
    }
}

void reach_hearsay(Mesh *mesh, const MeshKey *key, const MeshPath *path) {
    ReachKept *kept = place_of(&mesh->reach, key);

    if (kept && (kept->hearsay || kept->count == 0)) {
        kept->hearsay = true;
        kept->count = add(kept->addresses, 0, REACH_KEPT_SIZE, path);
    }
}

void reach_keep_addresses(Mesh *mesh, Neighbour *neighbour) {
    uint8_t key[sizeof KEPT_WORD - 1 + MESH_KEY_SIZE];
    uint8_t value[1 + REACH_KEPT_SIZE * 19];
    BytesWriter writer = bytes_writer(value, sizeof value);
    MeshPath kept[REACH_KEPT_SIZE];
    size_t count = 0;

    if (neighbour->address_count == 0 || !reach_is_portable(&neighbour->addresses[0]) ||
        mesh_path_equal(&neighbour->addresses[0], &neighbour->kept) ||
        (neighbour->kept_us > 0 && mesh->now_us < neighbour->kept_us + KEPT_US) ||
        !core_member(mesh, &neighbour->key)) {
        return;
    }
    neighbour->kept = neighbour->addresses[0];
    neighbour->kept_us = mesh->now_us;
    for (size_t i = 0; i < neighbour->address_count; i++) {
        count = add(kept, count, REACH_KEPT_SIZE, &neighbour->addresses[i]);
    }
    remember(mesh, &neighbour->key, kept, count);
    memcpy(key, KEPT_WORD, sizeof KEPT_WORD - 1);
    memcpy(key + sizeof KEPT_WORD - 1, neighbour->key.bytes, MESH_KEY_SIZE);
    bytes_write_u8(&writer, (uint8_t)count);
    for (size_t i = 0; i < count; i++) {
        mesh_path_write(&writer, &kept[i]);
    }
    core_persist(mesh, MESH_ITEM_STATE, BYTES_OF(key), BYTES_AT(value, bytes_written(&writer)),
                 (Pending){.kind = PENDING_STATE});
}

void reach_loaded(Mesh *mesh, Bytes key, Bytes value) {
    BytesReader reader = bytes_reader(value.data, value.length);
    MeshPath addresses[MESH_ADDRESSES_MAX];
    size_t count = reach_read_addresses(&reader, addresses);
    MeshKey member;

    if (!reader.failed && key.length == sizeof KEPT_WORD - 1 + MESH_KEY_SIZE) {
        memcpy(member.bytes, key.data + sizeof KEPT_WORD - 1, MESH_KEY_SIZE);
        remember(mesh, &member, addresses, count);
    }
}
