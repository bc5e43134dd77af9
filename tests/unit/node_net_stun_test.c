/* SPDX-License-Identifier: MPL-2.0 */
/* STUN: published vectors (RFC 5769), bad messages, how often, and a client that is not ours. */
#include <gio/gio.h>
#include <string.h>

#include "node/net/limit.h"
#include "node/net/stun.h"
#include "tests/unit/node_net_rig.h"

#define STRANGER "turnutils_stunclient"
#define REPLY_US (20 * G_USEC_PER_SEC)

/* RFC 5769 section 2.1: a request, as a check of ICE carries it. */
static const guint8 REQUEST[] = {
    0x00, 0x01, 0x00, 0x58, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86,
    0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x10, 0x53, 0x54, 0x55, 0x4e, 0x20, 0x74, 0x65, 0x73,
    0x74, 0x20, 0x63, 0x6c, 0x69, 0x65, 0x6e, 0x74, 0x00, 0x24, 0x00, 0x04, 0x6e, 0x00, 0x01, 0xff,
    0x80, 0x29, 0x00, 0x08, 0x93, 0x2f, 0xf9, 0xb1, 0x51, 0x26, 0x3b, 0x36, 0x00, 0x06, 0x00, 0x09,
    0x65, 0x76, 0x74, 0x6a, 0x3a, 0x68, 0x36, 0x76, 0x59, 0x20, 0x20, 0x20, 0x00, 0x08, 0x00, 0x14,
    0x9a, 0xea, 0xa7, 0x0c, 0xbf, 0xd8, 0xcb, 0x56, 0x78, 0x1e, 0xf2, 0xb5, 0xb2, 0xd3, 0xf2, 0x49,
    0xc1, 0xb5, 0x71, 0xa2, 0x80, 0x28, 0x00, 0x04, 0xe5, 0x7a, 0x3b, 0xcf};

/* Sections 2.2 and 2.3: the mapped addresses of its responses. */
static const guint8 MAPPED_V4[] = {0x00, 0x20, 0x00, 0x08, 0x00, 0x01,
                                   0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43};
static const guint8 MAPPED_V6[] = {0x00, 0x20, 0x00, 0x14, 0x00, 0x02, 0xa1, 0x47,
                                   0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79,
                                   0xbc, 0x25, 0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9};

static const MeshPath FROM_V4 = {
    .kind = MESH_PATH_KNOCK, .family = 4, .port = 32853, .ip = {192, 0, 2, 1}};
static const MeshPath FROM_V6 = {.kind = MESH_PATH_KNOCK,
                                 .family = 6,
                                 .port = 32853,
                                 .ip = {0x20, 0x01, 0x0d, 0xb8, 0x12, 0x34, 0x56, 0x78, 0x00, 0x11,
                                        0x22, 0x33, 0x44, 0x55, 0x66, 0x77}};

static void test_vectors(void) {
    guint8 reply[NET_STUN_REPLY_SIZE];
    NetStun *stun = net_stun_create();
    Bytes request = {REQUEST, sizeof REQUEST};
    g_assert_cmpuint(net_stun_answer(stun, request, &FROM_V4, reply), ==, 32);
    g_assert_cmpmem(reply + 4, 16, REQUEST + 4, 16);
    g_assert_cmpmem(reply + 20, 12, MAPPED_V4, sizeof MAPPED_V4);
    g_assert_cmpuint(net_stun_answer(stun, request, &FROM_V6, reply), ==, 44);
    g_assert_cmpmem(reply + 4, 16, REQUEST + 4, 16);
    g_assert_cmpmem(reply + 20, 24, MAPPED_V6, sizeof MAPPED_V6);
    net_stun_destroy(stun);
}

/* RFC 3489, as libnice gathers: no cookie, and the address as it is. */
static void test_old(void) {
    static const guint8 expected[] = {0x00, 0x01, 0x00, 0x08, 0x00, 0x01, 0x80, 0x55, 192, 0, 2, 1};
    guint8 request[20] = {0x00, 0x01, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    guint8 reply[NET_STUN_REPLY_SIZE];
    NetStun *stun = net_stun_create();
    g_assert_cmpuint(net_stun_answer(stun, (Bytes){request, 20}, &FROM_V4, reply), ==, 32);
    g_assert_cmpmem(reply + 20, 12, expected, sizeof expected);
    g_assert_cmpuint(net_stun_answer(stun, (Bytes){request, 20}, &FROM_V6, reply), ==, 44);
    net_stun_destroy(stun);
}

static void test_malformed(void) {
    guint8 reply[NET_STUN_REPLY_SIZE];
    MeshPath mapped;
    NetStun *stun = net_stun_create();
    for (gsize cut = 0; cut < sizeof REQUEST; cut++) {
        g_autofree guint8 *exact = g_memdup2(REQUEST, cut);
        g_assert_cmpuint(net_stun_answer(stun, (Bytes){exact, cut}, &FROM_V4, reply), ==, 0);
    }
    /* An indication, a response, another method, an attribute longer than the message. */
    static const struct {
        guint at;
        guint8 value;
    } wrong[] = {{1, 0x11}, {0, 0x01}, {1, 0x03}, {23, 0xff}, {3, 0x59}, {3, 0x54}};
    for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
        guint8 bytes[sizeof REQUEST];
        memcpy(bytes, REQUEST, sizeof bytes);
        bytes[wrong[i].at] = wrong[i].value;
        g_assert_cmpuint(net_stun_answer(stun, (Bytes){bytes, sizeof bytes}, &FROM_V4, reply), ==,
                         0);
    }
    for (guint i = 0; i < 200000; i++) {
        gsize length = (gsize)g_test_rand_int_range(1, sizeof REQUEST + 1);
        g_autofree guint8 *bytes = g_memdup2(REQUEST, length);
        for (guint j = 0; j <= i % 3; j++) {
            bytes[g_test_rand_int_range(0, (gint)length)] = (guint8)g_test_rand_int();
        }
        g_assert_cmpuint(net_stun_answer(stun, (Bytes){bytes, length}, &FROM_V6, reply), <=,
                         NET_STUN_REPLY_SIZE);
        g_assert_false(net_stun_answered(stun, (Bytes){bytes, length}, &mapped));
    }
    net_stun_destroy(stun);
}

static void test_client(void) {
    guint8 request[NET_STUN_REQUEST_SIZE], reply[NET_STUN_REPLY_SIZE];
    MeshPath mapped;
    NetStun *stun = net_stun_create();
    for (guint i = 0; i < 100; i++) {
        const MeshPath *from = i % 2 == 0 ? &FROM_V4 : &FROM_V6;
        net_stun_ask(stun, request);
        gsize length = net_stun_answer(stun, (Bytes){request, sizeof request}, from, reply);
        reply[5] ^= 1;
        g_assert_false(net_stun_answered(stun, (Bytes){reply, length}, &mapped));
        reply[5] ^= 1;
        g_assert_true(net_stun_answered(stun, (Bytes){reply, length}, &mapped));
        g_assert_true(mesh_path_equal(&mapped, from));
        g_assert_false(net_stun_answered(stun, (Bytes){reply, length}, &mapped));
        net_stun_ask(stun, request); /* never answered */
    }
    net_stun_destroy(stun);
}

static guint allowed(NetLimit *limit, const MeshPath *to, guint asked, gint64 now_us) {
    guint count = 0;
    for (guint i = 0; i < asked; i++) {
        count += net_limit_allow(limit, to, now_us) != FALSE;
    }
    return count;
}

static void test_limit(void) {
    NetLimit *limit = net_limit_create();
    gint64 now_us = G_GINT64_CONSTANT(5000) * G_USEC_PER_SEC;
    MeshPath neighbour = FROM_V4, other = FROM_V4, elsewhere = FROM_V6;
    neighbour.ip[3] = 77;
    other.ip[2] = 3;
    g_assert_cmpuint(allowed(limit, &FROM_V4, 1000, now_us), ==, NET_LIMIT_PREFIX_BURST);
    g_assert_cmpuint(allowed(limit, &neighbour, 10, now_us), ==, 0);
    /* Others are not held back; of two prefixes in a thousand whose place in the table is the same
       by chance, one is. */
    guint free = 0;
    for (guint i = 0; i < 16; i++) {
        elsewhere.ip[1] = (guint8)i;
        free += allowed(limit, &elsewhere, 2, now_us) == 2;
    }
    g_assert_cmpuint(free, >=, 12);
    now_us += G_USEC_PER_SEC;
    g_assert_cmpuint(allowed(limit, &FROM_V4, 1000, now_us), ==, NET_LIMIT_PREFIX_RATE);
    /* However many prefixes ask, there is an end. */
    guint total = 0;
    for (guint i = 0; i < 10000; i++) {
        other.ip[0] = (guint8)(1 + i % 200);
        other.ip[1] = (guint8)(i / 200);
        total += allowed(limit, &other, 1, now_us);
    }
    g_assert_cmpuint(total, <=, 512);
    g_assert_cmpuint(total, >, 400);
    net_limit_destroy(limit);
}

/* A UDP socket of the test's own, towards a node's knock port. */
static GSocket *stranger_socket(const Rig *rig) {
    g_autoptr(GSocket) socket =
        g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);
    g_autoptr(GSocketAddress) to =
        g_inet_socket_address_new_from_string("127.0.0.1", net_port(rig->net));
    g_socket_set_blocking(socket, FALSE);
    g_assert_true(g_socket_connect(socket, to, NULL, NULL));
    return g_steal_pointer(&socket);
}

/* The port a socket sends from. */
static guint16 port_of(GSocket *socket) {
    g_autoptr(GSocketAddress) address = g_socket_get_local_address(socket, NULL);
    return g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(address));
}

static void test_flood(void) {
    Rig rig;
    guint8 reply[100];
    rig_start(&rig, NULL);
    g_autoptr(GSocket) socket = stranger_socket(&rig);
    gint64 begun_us = g_get_monotonic_time();
    for (guint i = 0; i < 200; i++) {
        g_socket_send(socket, (const char *)REQUEST, sizeof REQUEST, NULL, NULL);
        g_main_context_iteration(NULL, FALSE);
    }
    rig_wait(net_counters(rig.net).stun_answered + net_counters(rig.net).stun_limited == 200);
    gint64 took_s = (g_get_monotonic_time() - begun_us) / G_USEC_PER_SEC + 1;
    NetCounters counters = net_counters(rig.net);
    g_assert_cmpuint(counters.stun_answered, >=, NET_LIMIT_PREFIX_BURST);
    g_assert_cmpuint(counters.stun_answered, <=,
                     NET_LIMIT_PREFIX_BURST + NET_LIMIT_PREFIX_RATE * (guint64)took_s);
    for (guint64 replies = 0; replies < counters.stun_answered; replies++) {
        g_assert_true(g_socket_condition_timed_wait(socket, G_IO_IN, REPLY_US, NULL, NULL));
        g_assert_cmpint(g_socket_receive(socket, (char *)reply, 100, NULL, NULL), ==, 32);
    }
    g_assert_cmpint(g_socket_receive(socket, (char *)reply, 100, NULL, NULL), ==, -1);
    g_assert_cmpuint(rig_got_from(&rig, port_of(socket)), ==, 0);
    rig_stop(&rig);
}

/* STUN-like garbage is counted; it is never taken for a datagram of ours. */
static void test_garbage(void) {
    Rig rig;
    rig_start(&rig, NULL);
    g_autoptr(GSocket) socket = stranger_socket(&rig);
    for (guint i = 0; i < 100; i++) {
        char bytes[64];
        for (guint j = 0; j < sizeof bytes; j++) {
            bytes[j] = (char)g_test_rand_int();
        }
        bytes[0] &= 0x3f;
        g_socket_send(socket, bytes, 1 + i % 64, NULL, NULL);
        rig_wait(net_counters(rig.net).dropped == i + 1);
    }
    g_socket_send(socket, "", 0, NULL, NULL);
    rig_wait(net_counters(rig.net).dropped == 101);
    g_assert_cmpuint(rig_got_from(&rig, port_of(socket)), ==, 0);
    rig_stop(&rig);
}

static gboolean has_mapped(const Rig *rig, const MeshPath *path) {
    gboolean found = FALSE;
    for (gsize i = 0; i < rig->address_count; i++) {
        found |= mesh_path_equal(&rig->addresses[i], path);
    }
    return found;
}

/* One node is the STUN server of another. */
static void test_mapping(void) {
    Rig server, rig;
    rig_start(&server, NULL);
    g_autofree char *address = g_strdup_printf("127.0.0.1:%u", net_port(server.net));
    rig_start(&rig, address);
    MeshPath seen = rig_path(&rig, 4);
    rig_wait(rig.told > 0 && has_mapped(&rig, &seen));
    g_assert_cmpuint(net_counters(server.net).stun_answered, >=, 1);
    rig_stop(&rig);
    rig_stop(&server);
}

static void test_server_text(void) {
    static const char *const wrong[] = {
        "",          "3478",         "192.0.2.1",       "192.0.2.1:",      "192.0.2.1:0",
        ":3478",     "[]:3478",      "192.0.2.1:65536", "192.0.2.256:1",   "example.org:3478",
        "[::1:3478", "224.0.0.1:19", "[ff02::1]:3478",  "192.0.2.1:3478x", "2001:db8::1:3478"};
    NetHandler handler = {.user = NULL};
    for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(net_create(0, FALSE, wrong[i], handler, &error));
        g_assert_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
    }
}

static void ended(GObject *process, GAsyncResult *result, gpointer data) {
    char **ret_output = data;
    GError *error = NULL;
    g_subprocess_communicate_utf8_finish(G_SUBPROCESS(process), result, ret_output, NULL, &error);
    g_assert_no_error(error);
}

static void ask_as_stranger(const Rig *rig, const char *host) {
    g_autofree char *port = g_strdup_printf("%u", net_port(rig->net));
    g_autofree char *output = NULL;
    GError *error = NULL;
    g_autoptr(GSubprocess) process =
        g_subprocess_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE, &error,
                         STRANGER, "-p", port, host, NULL);
    g_assert_no_error(error);
    g_subprocess_communicate_utf8_async(process, NULL, NULL, ended, &output);
    rig_wait(output != NULL);
    g_test_message("%s", output);
    g_assert_nonnull(strstr(output, "UDP reflexive addr: "));
    g_assert_nonnull(strstr(output, host));
}

static void test_stranger(void) {
    g_autofree char *program = g_find_program_in_path(STRANGER);
    if (program == NULL) {
        g_test_skip(STRANGER " is not here");
        return;
    }
    Rig rig;
    rig_start(&rig, NULL);
    ask_as_stranger(&rig, "127.0.0.1");
    g_assert_cmpuint(net_counters(rig.net).stun_answered, >=, 1);
    if (rig_has_v6()) {
        ask_as_stranger(&rig, "::1");
        g_assert_cmpuint(net_counters(rig.net).stun_answered, >=, 2);
    }
    rig_stop(&rig);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/node/net/stun/vectors", test_vectors);
    g_test_add_func("/node/net/stun/old", test_old);
    g_test_add_func("/node/net/stun/malformed", test_malformed);
    g_test_add_func("/node/net/stun/client", test_client);
    g_test_add_func("/node/net/stun/limit", test_limit);
    g_test_add_func("/node/net/stun/flood", test_flood);
    g_test_add_func("/node/net/stun/garbage", test_garbage);
    g_test_add_func("/node/net/stun/mapping", test_mapping);
    g_test_add_func("/node/net/stun/server-text", test_server_text);
    g_test_add_func("/node/net/stun/stranger", test_stranger);
    return g_test_run();
}
