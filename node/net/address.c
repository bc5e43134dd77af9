/* SPDX-License-Identifier: MPL-2.0 */
#include "node/net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

gboolean net_address_from_socket(const struct sockaddr_storage *address, MeshPath *ret_path) {
    MeshPath path = {.kind = MESH_PATH_KNOCK};
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
        path.family = 4;
        path.port = ntohs(v4->sin_port);
        memcpy(path.ip, &v4->sin_addr, 4);
    } else if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
        path.family = 6;
        path.port = ntohs(v6->sin6_port);
        memcpy(path.ip, &v6->sin6_addr, 16);
        path.interface = mesh_path_is_link_local(&path) ? v6->sin6_scope_id : 0;
    } else {
        return FALSE;
    }
    *ret_path = path;
    return TRUE;
}

socklen_t net_address_to_socket(const MeshPath *path, struct sockaddr_storage *ret_address) {
    memset(ret_address, 0, sizeof *ret_address);
    if (path->family == 4) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)ret_address;
        v4->sin_family = AF_INET;
        v4->sin_port = htons(path->port);
        memcpy(&v4->sin_addr, path->ip, 4);
        return sizeof *v4;
    }
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret_address;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(path->port);
    v6->sin6_scope_id = path->interface;
    memcpy(&v6->sin6_addr, path->ip, 16);
    return sizeof *v6;
}

gboolean net_address_parse(const char *text, MeshPath *ret_path) {
    const char *colon = strrchr(text, ':');
    guint64 port = 0;
    if (colon == NULL || !g_ascii_string_to_unsigned(colon + 1, 10, 1, G_MAXUINT16, &port, NULL)) {
        return FALSE;
    }
    gboolean bracketed = text[0] == '[' && colon - text >= 2 && colon[-1] == ']';
    g_autofree char *host = bracketed ? g_strndup(text + 1, (gsize)(colon - text) - 2)
                                      : g_strndup(text, (gsize)(colon - text));
    MeshPath path = {.kind = MESH_PATH_KNOCK, .family = bracketed ? 6 : 4, .port = (guint16)port};
    if (inet_pton(bracketed ? AF_INET6 : AF_INET, host, path.ip) != 1 ||
        !net_address_is_usable(&path)) {
        return FALSE;
    }
    *ret_path = path;
    return TRUE;
}

gboolean net_address_is_loopback(const MeshPath *path) {
    static const guint8 loopback[16] = {[15] = 1};
    return path->family == 4 ? path->ip[0] == 127 : memcmp(path->ip, loopback, 16) == 0;
}

gboolean net_address_is_public(const MeshPath *path) {
    const guint8 *ip = path->ip;
    if (mesh_path_is_link_local(path) || net_address_is_loopback(path)) {
        return FALSE;
    }
    if (path->family == 6) {
        return (ip[0] & 0xfe) != 0xfc;
    }
    return !(ip[0] == 10 || (ip[0] == 172 && (ip[1] & 0xf0) == 16) ||
             (ip[0] == 192 && ip[1] == 168) || (ip[0] == 100 && (ip[1] & 0xc0) == 64));
}

gboolean net_address_is_usable(const MeshPath *path) {
    static const guint8 zero[12];
    if (path->port == 0) {
        return FALSE;
    }
    if (path->family == 4) {
        return path->ip[0] != 0 && path->ip[0] < 224;
    }
    /* Neither :: nor an IPv4 address in disguise, ::1 excepted. */
    static const guint8 mapped[12] = {[10] = 0xff, [11] = 0xff};
    return path->family == 6 && path->ip[0] != 0xff && memcmp(path->ip, mapped, 12) != 0 &&
           (memcmp(path->ip, zero, 12) != 0 || net_address_is_loopback(path));
}
