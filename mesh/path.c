/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/path.h"

#include <string.h>

bool mesh_path_equal(const MeshPath *a, const MeshPath *b) {
    return a->kind == b->kind && a->agent == b->agent && a->family == b->family &&
           a->port == b->port && a->interface == b->interface && !memcmp(a->ip, b->ip, 16);
}

uint64_t mesh_path_mark(const MeshPath *path) {
    uint64_t words[2];

    memcpy(words, path->ip, sizeof words);
    return (words[0] ^ words[1] * 3) * 0x9e3779b97f4a7c15u ^ path->agent ^
           (uint64_t)path->port << 40 ^ (uint64_t)path->interface << 8 ^ (uint64_t)path->kind << 32;
}

void mesh_path_write(BytesWriter *writer, const MeshPath *path) {
    bytes_write_u8(writer, path->family);
    bytes_write(writer, path->ip, path->family == 4 ? 4 : 16);
    bytes_write_u8(writer, (uint8_t)(path->port >> 8));
    bytes_write_u8(writer, (uint8_t)path->port);
}

MeshPath mesh_path_read(BytesReader *reader) {
    MeshPath path = {.kind = MESH_PATH_KNOCK, .family = bytes_read_u8(reader)};

    if (path.family != 4 && path.family != 6) {
        reader->failed = true;
    }
    bytes_read_into(reader, path.ip, path.family == 4 ? 4 : 16);
    path.port = (uint16_t)(bytes_read_u8(reader) << 8);
    path.port = (uint16_t)(path.port | bytes_read_u8(reader));
    if (reader->failed) {
        return (MeshPath){.kind = MESH_PATH_NONE};
    }
    return path;
}

bool mesh_path_is_link_local(const MeshPath *path) {
    return path->family == 4 ? path->ip[0] == 169 && path->ip[1] == 254
                             : path->ip[0] == 0xfe && (path->ip[1] & 0xc0) == 0x80;
}
