/* SPDX-License-Identifier: MPL-2.0 */
/* ICE agents of two nodes on one machine: up, both ways, many at once, ended at any moment. */
#include <glib.h>
#include <string.h>

#include "tests/unit/node_net_rig.h"

#define OWNER 3

static MeshPath ice_path(guint32 agent) {
    return (MeshPath){.kind = MESH_PATH_ICE, .agent = agent};
}

static gboolean is_up(const Rig *rig, guint32 agent) {
    return rig_state(rig, agent) == 1;
}

static gboolean offered(const Rig *rig, guint32 agent) {
    return rig_offer(rig, agent).length > 0;
}

/* Sends until it arrives: what is sent at the very beginning may be lost. */
static void say(Rig *from, Rig *to, guint32 agent, const char *text) {
    MeshPath path = ice_path(agent);
    RigDatagram got;
    while (!rig_got(to, text, &got)) {
        net_send(from->net, OWNER, &path, rig_bytes(text));
        g_main_context_iteration(NULL, TRUE);
    }
    g_assert_cmpuint(got.owner, ==, OWNER);
    g_assert_true(mesh_path_equal(&got.path, &path));
}

static void connect_pair(Rig *a, Rig *b, guint32 agent, const MeshPath *servers, gsize count) {
    net_ice_start(a->net, OWNER, agent, TRUE, servers, count);
    g_assert_false(offered(a, agent));
    rig_wait(offered(a, agent));
    /* The one asked knows the other's offer from the beginning. */
    net_ice_start(b->net, OWNER, agent, FALSE, servers, count);
    g_assert_true(net_ice_remote(b->net, OWNER, agent, rig_offer(a, agent)));
    g_assert_false(net_ice_remote(b->net, OWNER, agent, rig_offer(a, agent)));
    rig_wait(offered(b, agent));
    g_assert_true(net_ice_remote(a->net, OWNER, agent, rig_offer(b, agent)));
    g_assert_false(net_ice_remote(a->net, OWNER, agent, rig_offer(b, agent)));
}

static void test_pair(void) {
    Rig a, b;
    rig_start(&a, NULL);
    rig_start(&b, NULL);
    gint64 begun_us = g_get_monotonic_time();
    connect_pair(&a, &b, 7, NULL, 0);
    rig_wait(is_up(&a, 7) && is_up(&b, 7));
    g_test_message("up after %" G_GINT64_FORMAT " ms", (g_get_monotonic_time() - begun_us) / 1000);
    guint alarm = rig_alarm("both ways");
    say(&a, &b, 7, "Dring");
    say(&b, &a, 7, "Oui ?");
    g_source_remove(alarm);
    /* STUN-like bytes are never ours. */
    MeshPath path = ice_path(7);
    net_send(a.net, OWNER, &path, (Bytes){(const guint8 *)"\1\1garbage", 9});
    rig_wait(net_counters(b.net).dropped >= 1);
    net_ice_stop(a.net, OWNER, 7);
    guint64 failed = net_counters(a.net).send_failed;
    net_send(a.net, OWNER, &path, rig_bytes("Hello?"));
    g_assert_cmpuint(net_counters(a.net).send_failed, ==, failed + 1);
    rig_stop(&a);
    rig_stop(&b);
}

/* A STUN server that answers; one that never does, and then another that does. */
static void test_servers(void) {
    Rig a, b, server;
    rig_start(&a, NULL);
    rig_start(&b, NULL);
    rig_start(&server, NULL);
    rig_wait(server.told > 0);
    connect_pair(&a, &b, 1, server.addresses, server.address_count);
    rig_wait(is_up(&a, 1) && is_up(&b, 1));
    MeshPath servers[2 * MESH_ADDRESSES_MAX + 2] = {{.kind = MESH_PATH_NONE}};
    gsize count = 2;
    servers[1] = (MeshPath){.kind = MESH_PATH_KNOCK, .family = 4, .port = 9};
    for (gsize i = 0; i < server.address_count; i++) {
        servers[count] = server.addresses[i];
        servers[count++].port = 1;
        servers[count++] = server.addresses[i];
    }
    net_ice_start(a.net, OWNER, 2, FALSE, servers, count);
    net_ice_start(b.net, OWNER, 2, TRUE, servers, count);
    rig_wait(offered(&a, 2) && offered(&b, 2));
    g_assert_true(net_ice_remote(a.net, OWNER, 2, rig_offer(&b, 2)));
    g_assert_true(net_ice_remote(b.net, OWNER, 2, rig_offer(&a, 2)));
    rig_wait(is_up(&a, 2) && is_up(&b, 2));
    rig_stop(&server);
    rig_stop(&a);
    rig_stop(&b);
}

static void test_many(void) {
    Rig a, b;
    enum { COUNT = 12 };
    rig_start(&a, NULL);
    rig_start(&b, NULL);
    for (guint32 i = 1; i <= COUNT; i++) {
        net_ice_start(a.net, OWNER, i, i % 2 == 0, NULL, 0);
        net_ice_start(b.net, OWNER, i, i % 2 == 1, NULL, 0);
    }
    for (guint32 i = 1; i <= COUNT; i++) {
        rig_wait(offered(&a, i) && offered(&b, i));
        g_assert_true(net_ice_remote(a.net, OWNER, i, rig_offer(&b, i)));
        g_assert_true(net_ice_remote(b.net, OWNER, i, rig_offer(&a, i)));
    }
    guint alarm = rig_alarm("many");
    for (guint32 i = 1; i <= COUNT; i++) {
        rig_wait(is_up(&a, i) && is_up(&b, i));
        g_autofree char *text = g_strdup_printf("pair %u", i);
        say(&a, &b, i, text);
    }
    g_source_remove(alarm);
    net_ice_stop_all(a.net, OWNER + 1);
    say(&b, &a, 1, "still there");
    net_ice_stop_all(a.net, OWNER);
    net_ice_stop(a.net, OWNER, 1);
    net_ice_stop(a.net, OWNER, 99);
    rig_stop(&a);
    rig_stop(&b);
}

static void test_garbage(void) {
    Rig a;
    rig_start(&a, NULL);
    g_assert_false(net_ice_remote(a.net, OWNER, 1, rig_bytes("no such agent")));
    net_ice_start(a.net, OWNER, 1, TRUE, NULL, 0);
    for (guint i = 0; i < 1000; i++) {
        guint8 bytes[MESH_OFFER_MAX];
        gsize length = (gsize)g_test_rand_int_range(0, sizeof bytes);
        for (gsize j = 0; j < length; j++) {
            bytes[j] = (guint8)g_test_rand_int();
        }
        g_assert_false(net_ice_remote(a.net, OWNER, 1, (Bytes){bytes, length}));
    }
    rig_wait(offered(&a, 1));
    rig_stop(&a);
}

/* Offers that can lead nowhere are taken, and come to nothing, without noise. */
static void test_hopeless(void) {
    static const guint8 empty[] = "\1\4abcd\026ABCDEFGHIJKLMNOPQRSTUV";
    Rig a;
    rig_start(&a, NULL);
    net_ice_start(a.net, OWNER, 1, TRUE, NULL, 0);
    net_ice_start(a.net, OWNER, 2, FALSE, NULL, 0);
    rig_wait(offered(&a, 1) && offered(&a, 2));
    g_assert_true(net_ice_remote(a.net, OWNER, 1, (Bytes){empty, sizeof empty}));
    /* One's own. */
    g_assert_true(net_ice_remote(a.net, OWNER, 2, rig_offer(&a, 2)));
    for (guint i = 0; i < 100; i++) {
        g_main_context_iteration(NULL, FALSE);
    }
    g_assert_cmpuint(rig_state(&a, 1), ==, 0);
    rig_stop(&a);
}

static void stop_it(gpointer rig, guint owner, guint32 agent) {
    net_ice_stop(((Rig *)rig)->net, owner, agent);
}

static void stop_all(gpointer rig, guint owner, guint32 agent) {
    net_ice_stop_all(((Rig *)rig)->net, owner);
}

static void stop_by_datagram(gpointer rig, const RigDatagram *datagram) {
    net_ice_stop(((Rig *)rig)->net, datagram->owner, datagram->path.agent);
}

static void start_again(gpointer rig, guint owner, guint32 agent) {
    Rig *again = rig;
    again->on_offer = NULL;
    net_ice_start(again->net, owner, agent, TRUE, NULL, 0);
    net_ice_start(again->net, owner, agent + 1, TRUE, NULL, 0);
}

/* Stopped from within each callback. */
static void test_stopped(void) {
    Rig a, b;
    rig_start(&a, NULL);
    rig_start(&b, NULL);
    a.on_offer = stop_it;
    net_ice_start(a.net, OWNER, 1, TRUE, NULL, 0);
    net_ice_start(a.net, OWNER, 2, TRUE, NULL, 0);
    rig_wait(offered(&a, 1) && offered(&a, 2));
    g_assert_false(net_ice_remote(a.net, OWNER, 1, rig_offer(&a, 1)));
    a.on_offer = stop_all;
    net_ice_start(a.net, OWNER, 3, TRUE, NULL, 0);
    net_ice_start(a.net, OWNER, 4, TRUE, NULL, 0);
    rig_wait(offered(&a, 3));
    a.on_offer = start_again;
    net_ice_start(a.net, OWNER, 5, TRUE, NULL, 0);
    rig_wait(offered(&a, 6));
    a.on_offer = NULL;
    a.on_state = stop_it;
    connect_pair(&a, &b, 7, NULL, 0);
    rig_wait(rig_state(&a, 7) == 1);
    a.on_state = NULL;
    b.on_datagram = stop_by_datagram;
    connect_pair(&a, &b, 8, NULL, 0);
    rig_wait(is_up(&a, 8) && is_up(&b, 8));
    guint alarm = rig_alarm("a datagram that ends its agent");
    say(&a, &b, 8, "the last word");
    g_source_remove(alarm);
    rig_stop(&a);
    rig_stop(&b);
}

/* Ended while agents are new, gathering, offered, queued, checking. */
static void test_ended_early(void) {
    for (guint turns = 0; turns < 12; turns++) {
        Rig a, b;
        rig_start(&a, NULL);
        rig_start(&b, NULL);
        for (guint32 i = 0; i < 4; i++) {
            net_ice_start(a.net, OWNER, i, TRUE, NULL, 0);
            net_ice_start(b.net, OWNER, i, FALSE, NULL, 0);
        }
        for (guint turn = 0; turn < turns; turn++) {
            g_main_context_iteration(NULL, FALSE);
            for (guint32 i = 0; i < 4; i++) {
                net_ice_remote(a.net, OWNER, i, rig_offer(&b, i));
                net_ice_remote(b.net, OWNER, i, rig_offer(&a, i));
            }
        }
        rig_stop(&a);
        rig_stop(&b);
    }
}

/* More agents than there can be: the last are told to be gone, the first work. */
static void test_too_many(void) {
    Rig a;
    rig_start(&a, NULL);
    for (guint32 i = 1; i <= 140; i++) {
        net_ice_start(a.net, OWNER, i, TRUE, NULL, 0);
    }
    g_assert_cmpuint(rig_state(&a, 140), ==, 0);
    rig_wait(rig_state(&a, 140) == 2);
    rig_wait(offered(&a, 1) && offered(&a, 128));
    g_assert_cmpuint(rig_state(&a, 128), ==, 0);
    rig_stop(&a);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/node/net/ice/pair", test_pair);
    g_test_add_func("/node/net/ice/servers", test_servers);
    g_test_add_func("/node/net/ice/many", test_many);
    g_test_add_func("/node/net/ice/garbage", test_garbage);
    g_test_add_func("/node/net/ice/hopeless", test_hopeless);
    g_test_add_func("/node/net/ice/stopped", test_stopped);
    g_test_add_func("/node/net/ice/ended-early", test_ended_early);
    g_test_add_func("/node/net/ice/too-many", test_too_many);
    return g_test_run();
}
