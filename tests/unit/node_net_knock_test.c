/* SPDX-License-Identifier: MPL-2.0 */
/* Two nodes on one machine: knocks on both families, beacons, ports, paths that lead nowhere. */
#include <gio/gio.h>
#include <string.h>

#include "tests/unit/node_net_rig.h"

static void echo(guint8 family) {
    Rig a, b;
    RigDatagram got;
    rig_start(&a, NULL);
    rig_start(&b, NULL);
    MeshPath to_b = rig_path(&b, family), to_a = rig_path(&a, family);
    net_send(a.net, 0, &to_b, rig_bytes("knock"));
    rig_wait(rig_got(&b, "knock", &got));
    g_assert_cmpuint(got.owner, ==, 0);
    g_assert_true(mesh_path_equal(&got.path, &to_a));
    net_send(b.net, 0, &got.path, rig_bytes("who is there"));
    rig_wait(rig_got(&a, "who is there", NULL));
    g_assert_cmpuint(net_counters(a.net).sent, ==, 1);
    g_assert_cmpuint(net_counters(b.net).received, >=, 1);
    rig_stop(&a);
    rig_stop(&b);
}

static void test_v4(void) {
    echo(4);
}

static void test_v6(void) {
    if (rig_has_v6()) {
        echo(6);
    }
}

static void test_beacon(void) {
    Rig a, b;
    RigDatagram got;
    rig_start(&a, NULL);
    rig_start(&b, NULL);
    g_autofree char *text = g_strdup_printf("beacon %u", net_port(a.net));
    net_beacon(a.net, rig_bytes(text));
    rig_wait(rig_got(&b, text, &got));
    g_assert_cmpint(got.path.kind, ==, MESH_PATH_KNOCK);
    g_assert_cmpuint(got.path.port, ==, net_port(a.net));
    net_send(b.net, 0, &got.path, rig_bytes("heard you"));
    rig_wait(rig_got(&a, "heard you", NULL));
    g_assert_false(rig_got(&a, text, NULL));
    rig_stop(&a);
    rig_stop(&b);
}

/* A port that was given back can be had again, unless somebody else was quicker: then another. */
static void have_again(void) {
    NetHandler handler = {.user = NULL};
    for (guint tries = 1;; tries++) {
        g_autoptr(GError) error = NULL;
        Net *net = net_create(0, FALSE, NULL, handler, NULL);
        guint16 port = net_port(net);
        net_destroy(net);
        net = net_create(port, TRUE, NULL, handler, &error);
        if (net != NULL) {
            g_assert_cmpuint(net_port(net), ==, port);
            net_destroy(net);
            return;
        }
        g_assert_error(error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
        g_assert_cmpuint(tries, <, 20);
    }
}

static void test_ports(void) {
    Rig a;
    rig_start(&a, NULL);
    GError *error = NULL;
    NetHandler handler = {.user = NULL};
    g_assert_null(net_create(net_port(a.net), TRUE, NULL, handler, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
    g_clear_error(&error);
    Net *other = net_create(net_port(a.net), FALSE, NULL, handler, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(net_port(other), !=, net_port(a.net));
    net_destroy(other);
    rig_stop(&a);
    have_again();
    net_destroy(NULL);
}

static void test_addresses(void) {
    Rig a;
    rig_start(&a, NULL);
    rig_wait(a.told > 0);
    g_assert_false(a.woke);
    g_assert_cmpuint(a.address_count, >, 0);
    for (gsize i = 0; i < a.address_count; i++) {
        g_assert_cmpint(a.addresses[i].kind, ==, MESH_PATH_KNOCK);
        g_assert_cmpuint(a.addresses[i].port, ==, net_port(a.net));
        g_assert_cmpint(a.addresses[i].interface != 0, ==,
                        mesh_path_is_link_local(&a.addresses[i]));
        for (gsize j = 0; j < i; j++) {
            g_assert_false(mesh_path_equal(&a.addresses[i], &a.addresses[j]));
        }
        /* Each leads here. */
        g_autofree char *text = g_strdup_printf("to myself %zu", i);
        net_send(a.net, 0, &a.addresses[i], rig_bytes(text));
        rig_wait(rig_got(&a, text, NULL));
    }
    rig_stop(&a);
}

/* By who does not know what a datagram of ours may be. */
static void send_foreign(const Rig *to, const guint8 *bytes, gsize length) {
    g_autoptr(GSocket) socket =
        g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);
    g_autoptr(GSocketAddress) address =
        g_inet_socket_address_new_from_string("127.0.0.1", net_port(to->net));
    g_assert_cmpint(g_socket_send_to(socket, address, (const char *)bytes, length, NULL, NULL), ==,
                    length);
}

static void test_nowhere(void) {
    Rig a;
    guint8 large[5000] = {0x40};
    rig_start(&a, NULL);
    MeshPath loopback = rig_path(&a, 4), path = loopback;
    static const struct {
        MeshPathKind kind;
        guint8 family;
        guint16 port;
        guint32 interface;
        guint8 ip[16];
    } nowhere[] = {
        {MESH_PATH_NONE, 4, 1, 0, {127, 0, 0, 1}},
        {MESH_PATH_RELAY, 4, 1, 0, {127, 0, 0, 1}},
        {MESH_PATH_ICE, 4, 1, 0, {127, 0, 0, 1}},
        {MESH_PATH_KNOCK, 4, 0, 0, {127, 0, 0, 1}},
        {MESH_PATH_KNOCK, 4, 1, 0, {0}},
        {MESH_PATH_KNOCK, 4, 1, 0, {224, 0, 0, 1}},
        {MESH_PATH_KNOCK, 4, 1, 0, {255, 255, 255, 255}},
        {MESH_PATH_KNOCK, 6, 1, 0, {0xff, 2, 1}},
        {MESH_PATH_KNOCK, 6, 1, 99999, {0xfe, 0x80, 1}},
        {MESH_PATH_KNOCK, 4, 1, 99999, {169, 254, 1}},
        {MESH_PATH_KNOCK, 0, 1, 0, {127, 0, 0, 1}},
        {MESH_PATH_KNOCK, 77, 1, 0, {127, 0, 0, 1}},
    };
    for (guint i = 0; i < G_N_ELEMENTS(nowhere); i++) {
        path = (MeshPath){.kind = nowhere[i].kind,
                          .family = nowhere[i].family,
                          .port = nowhere[i].port,
                          .interface = nowhere[i].interface};
        memcpy(path.ip, nowhere[i].ip, 16);
        net_send(a.net, 0, &path, rig_bytes("lost"));
        g_assert_cmpuint(net_counters(a.net).send_failed, ==, i + 1);
    }
    net_send(a.net, 0, &loopback, (Bytes){large, MESH_DATAGRAM_MAX + 1});
    g_assert_cmpuint(net_counters(a.net).send_failed, ==, G_N_ELEMENTS(nowhere) + 1);
    g_assert_cmpuint(net_counters(a.net).sent, ==, 0);
    /* Too large to be ours, by little and by much. */
    send_foreign(&a, large, MESH_DATAGRAM_MAX + 1);
    send_foreign(&a, large, 5000);
    rig_wait(net_counters(a.net).dropped == 2);
    rig_stop(&a);
}

/* What is gathered leaves in its order, more than fits at once and whatever of it leads nowhere. */
static void test_gathered(void) {
    enum { COUNT = 40 };
    Rig a, b;
    rig_start(&a, NULL);
    rig_start(&b, NULL);
    MeshPath to_b = rig_path(&b, 4);
    MeshPath broadcast = {.kind = MESH_PATH_KNOCK, .family = 4, .port = 1, .interface = 0};
    memcpy(broadcast.ip, (const guint8[]){127, 255, 255, 255}, 4);
    guint8 whole[MESH_DATAGRAM_MAX] = "whole";
    net_gather(a.net);
    for (guint i = 0; i < COUNT; i++) {
        g_autofree char *text = g_strdup_printf("number %u", i);
        net_send(a.net, 0, i % 8 == 3 ? &broadcast : &to_b, rig_bytes(text));
    }
    net_send(a.net, 0, &to_b, (Bytes){whole, sizeof whole});
    g_assert_cmpuint(net_counters(a.net).sent, <, COUNT);
    net_leave(a.net);
    g_assert_cmpuint(net_counters(a.net).send_failed, ==, COUNT / 8);
    g_assert_cmpuint(net_counters(a.net).sent, ==, COUNT - COUNT / 8 + 1);
    rig_wait(rig_got_from(&b, net_port(a.net)) == COUNT - COUNT / 8 + 1);
    for (guint i = 0, place = 0; i < COUNT; i++) {
        g_autofree char *text = g_strdup_printf("number %u", i);
        if (i % 8 != 3) {
            const RigDatagram *got = g_ptr_array_index(b.datagrams, place++);
            g_assert_cmpuint(g_bytes_get_size(got->bytes), ==, strlen(text));
            g_assert_cmpint(memcmp(g_bytes_get_data(got->bytes, NULL), text, strlen(text)), ==, 0);
        }
    }
    /* And what is sent afterwards leaves at once. */
    net_send(a.net, 0, &to_b, rig_bytes("alone"));
    g_assert_cmpuint(net_counters(a.net).sent, ==, COUNT - COUNT / 8 + 2);
    rig_wait(rig_got(&b, "alone", NULL));
    rig_stop(&a);
    rig_stop(&b);
}

static gboolean count_turn(gpointer data) {
    ++*(guint *)data;
    return G_SOURCE_CONTINUE;
}

/* A full socket does not keep the loop from the rest. */
static void test_turns(void) {
    Rig a, b;
    guint turns = 0;
    rig_start(&a, NULL);
    rig_start(&b, NULL);
    MeshPath to_b = rig_path(&b, 4);
    for (guint i = 0; i < 150; i++) {
        net_send(a.net, 0, &to_b, rig_bytes("busy"));
    }
    net_send(a.net, 0, &to_b, rig_bytes("last"));
    guint source = g_timeout_add(0, count_turn, &turns);
    rig_wait(rig_got(&b, "last", NULL));
    g_source_remove(source);
    g_assert_cmpuint(rig_got_from(&b, net_port(a.net)), ==, 151);
    g_assert_cmpuint(turns, >=, 2);
    rig_stop(&a);
    rig_stop(&b);
}

/* A node is ready at once: nothing here waits for an answer from anybody. It takes a fraction of a
   millisecond; a machine may be busy, but not five times for so long as one waits for an answer. */
static void test_quick(void) {
    NetHandler handler = {.user = NULL};
    gint64 best_us = G_MAXINT64;
    for (guint i = 0; i < 5; i++) {
        gint64 begun_us = g_get_monotonic_time();
        Net *net = net_create(0, FALSE, NULL, handler, NULL);
        best_us = MIN(best_us, g_get_monotonic_time() - begun_us);
        net_destroy(net);
    }
    g_test_message("net_create: %" G_GINT64_FORMAT " µs", best_us);
    g_assert_cmpint(best_us, <, G_USEC_PER_SEC / 2);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/node/net/knock/v4", test_v4);
    g_test_add_func("/node/net/knock/v6", test_v6);
    g_test_add_func("/node/net/knock/beacon", test_beacon);
    g_test_add_func("/node/net/knock/ports", test_ports);
    g_test_add_func("/node/net/knock/addresses", test_addresses);
    g_test_add_func("/node/net/knock/nowhere", test_nowhere);
    g_test_add_func("/node/net/knock/gathered", test_gathered);
    g_test_add_func("/node/net/knock/turns", test_turns);
    g_test_add_func("/node/net/knock/quick", test_quick);
    return g_test_run();
}
