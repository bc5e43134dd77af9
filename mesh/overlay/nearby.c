/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/overlay/nearby.h"

#include <string.h>

#include "mesh/core.h"
#include "mesh/overlay/choice.h"
#include "mesh/overlay/message.h"

#define BODY_SIZE (1 + MESH_NEARBY_MAX * (SHORT_KEY_SIZE + 19))

/* Linked with directly, at an address that means the same to others. */
static bool can_be_told(const Neighbour *neighbour) {
    return neighbour && neighbour_is_direct(neighbour) && reach_is_portable(&neighbour->path);
}

/* The next of those that this neighbour is told of, by chance, but alike whenever it is; NULL:
 * there are no more. `told` has a bit for each that was found, and one more for this. */
static const Neighbour *find_next(const Mesh *mesh, const Neighbour *to, uint64_t *told) {
    const Neighbour *found = NULL;
    uint64_t least = UINT64_MAX;
    uint32_t at = 0;

    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        const Neighbour *neighbour = neighbour_view(mesh, slot);

        if (neighbour != to && !(*told >> slot & 1) && can_be_told(neighbour) &&
            choice_rank(&to->key, &neighbour->key) < least) {
            least = choice_rank(&to->key, &neighbour->key);
            found = neighbour;
            at = slot;
        }
    }
    *told |= found ? 1ull << at : 0;
    return found;
}

void nearby_greet(Mesh *mesh, uint32_t slot) {
    Neighbour *to = neighbour_at(mesh, slot);
    uint8_t body[BODY_SIZE];
    BytesWriter writer = bytes_writer(body, sizeof body);
    const Neighbour *neighbour;
    uint64_t told = 0;
    uint8_t count = 0;

    bytes_write_u8(&writer, 0);
    while (mesh->company.large && count < MESH_NEARBY_MAX &&
           (neighbour = find_next(mesh, to, &told))) {
        bytes_write(&writer, neighbour->key.bytes, SHORT_KEY_SIZE);
        mesh_path_write(&writer, &neighbour->path);
        count++;
    }
    body[0] = count;
    if (count > 0) {
        neighbour_send(mesh, to, LINK_CHAT, UINT64_MAX, MESSAGE_NEARBY,
                       BYTES_AT(body, bytes_written(&writer)));
    }
}

static void hear(Mesh *mesh, const uint8_t key[SHORT_KEY_SIZE], const MeshPath *path) {
    const Roster *roster = &mesh->meeting.roster;

    for (size_t i = 0; i < roster->member_count && reach_is_portable(path); i++) {
        const Member *member = &roster->members[i];

        if (!memcmp(member->key.bytes, key, SHORT_KEY_SIZE) && !member->expelled &&
            !mesh_key_equal(&member->key, &mesh->self.key)) {
            reach_hearsay(mesh, &member->key, path);
        }
    }
}

MeshError nearby_received(Mesh *mesh, Bytes body) {
    BytesReader reader = bytes_reader(body.data, body.length);
    uint8_t count = bytes_read_u8(&reader);

    if (count > MESH_NEARBY_MAX) {
        return MESH_ERROR_MALFORMED;
    }
    for (uint8_t i = 0; i < count; i++) {
        const uint8_t *key = bytes_read(&reader, SHORT_KEY_SIZE);
        MeshPath path = mesh_path_read(&reader);

        if (reader.failed) {
            return MESH_ERROR_MALFORMED;
        }
        hear(mesh, key, &path);
    }
    return bytes_done(&reader) ? MESH_OK : MESH_ERROR_MALFORMED;
}
