/* SPDX-License-Identifier: MPL-2.0 */
/* Networks that come, go and change, in a network namespace of the test's own. */
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "node/net/address.h"
#include "tests/unit/node_net_rig.h"

#define INSIDE "NODE_NET_WATCH_INSIDE"

/* Two ends of one cable, with link-local addresses at once. */
#define CABLE                                                                                      \
    "ip link add v0 type veth peer name v1;"                                                       \
    "ip link set v0 addrgenmode none; ip link set v1 addrgenmode none;"                            \
    "ip link set v0 up; ip link set v1 up;"                                                        \
    "ip address add fe80::a/64 dev v0 nodad; ip address add fe80::b/64 dev v1 nodad"

static void shell(const char *script) {
    GError *error = NULL;
    gint status = 0;
    const char *words[] = {"sh", "-ec", script, NULL};
    g_spawn_sync(NULL, (char **)words, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status,
                 &error);
    g_assert_no_error(error);
    g_assert_cmpint(status, ==, 0);
}

/* Leaves the namespace as it began. */
static void clear(void) {
    shell("ip link set lo down; ip link delete v0 2>&- || true");
}

static gboolean lists(const Rig *rig, const char *ip) {
    for (gsize i = 0; i < rig->address_count; i++) {
        g_autofree char *text = g_strdup_printf(strchr(ip, ':') != NULL ? "[%s]:1" : "%s:1", ip);
        MeshPath path;
        g_assert_true(net_address_parse(text, &path));
        if (path.family == rig->addresses[i].family &&
            memcmp(path.ip, rig->addresses[i].ip, 16) == 0) {
            return TRUE;
        }
    }
    return FALSE;
}

/* By beacon, whatever there is. */
static void meet(void) {
    Rig a, b;
    RigDatagram got;
    rig_start(&a, NULL);
    rig_start(&b, NULL);
    net_beacon(a.net, rig_bytes("who is here"));
    rig_wait(rig_got(&b, "who is here", &got));
    net_send(b.net, 0, &got.path, rig_bytes("I am"));
    rig_wait(rig_got(&a, "I am", NULL));
    net_ice_start(a.net, 0, 1, TRUE, NULL, 0);
    net_ice_start(b.net, 0, 1, FALSE, NULL, 0);
    rig_wait(rig_offer(&a, 1).length > 0 && rig_offer(&b, 1).length > 0);
    g_assert_true(net_ice_remote(a.net, 0, 1, rig_offer(&b, 1)));
    g_assert_true(net_ice_remote(b.net, 0, 1, rig_offer(&a, 1)));
    rig_wait(rig_state(&a, 1) == 1 && rig_state(&b, 1) == 1);
    rig_stop(&a);
    rig_stop(&b);
}

static void test_nothing(void) {
    Rig a;
    clear();
    rig_start(&a, NULL);
    rig_wait(a.told > 0);
    g_assert_cmpuint(a.address_count, ==, 0);
    net_beacon(a.net, rig_bytes("anybody?"));
    net_ice_start(a.net, 0, 1, TRUE, NULL, 0);
    rig_wait(rig_state(&a, 1) == 2);
    MeshPath path = {.kind = MESH_PATH_KNOCK, .family = 4, .port = 9, .ip = {192, 0, 2, 1}};
    net_send(a.net, 0, &path, rig_bytes("lost"));
    g_assert_cmpuint(net_counters(a.net).send_failed, ==, 1);
    /* The network comes while the node runs. */
    shell("ip link set lo up");
    rig_wait(lists(&a, "127.0.0.1"));
    g_assert_true(a.woke);
    rig_stop(&a);
}

static void test_loopback(void) {
    Rig a;
    clear();
    shell("ip link set lo up");
    rig_start(&a, NULL);
    rig_wait(a.told > 0);
    g_assert_cmpuint(a.address_count, ==, 2);
    g_assert_true(lists(&a, "127.0.0.1") && lists(&a, "::1"));
    rig_stop(&a);
    meet();
}

/* No router, no DHCP: nothing but link-local addresses. */
static void test_link_local(void) {
    Rig a, b;
    RigDatagram got;
    clear();
    shell("ip link set lo up;" CABLE);
    meet();
    rig_start(&a, NULL);
    rig_start(&b, NULL);
    rig_wait(a.told > 0 && b.told > 0);
    g_assert_cmpuint(a.address_count, ==, 4);
    g_assert_true(lists(&a, "fe80::a") && lists(&a, "fe80::b") && lists(&a, "::1"));
    g_assert_true(mesh_path_is_link_local(&a.addresses[0]));
    g_assert_cmpuint(a.addresses[0].interface, !=, 0);
    g_assert_true(net_address_is_loopback(&a.addresses[3]));
    /* As a ticket has it: nobody says which interface. */
    MeshPath path = b.addresses[0];
    path.interface = 0;
    net_send(a.net, 0, &path, rig_bytes("which way?"));
    rig_wait(rig_got(&b, "which way?", &got));
    g_assert_cmpuint(got.path.interface, !=, 0);
    net_send(b.net, 0, &got.path, rig_bytes("this way"));
    rig_wait(rig_got(&a, "this way", NULL));
    rig_stop(&a);
    rig_stop(&b);
}

static void test_link_local_v4(void) {
    Rig a, b;
    RigDatagram got;
    clear();
    shell("ip link set lo up;" CABLE "; ip address add 169.254.7.1/16 dev v0");
    rig_start(&a, NULL);
    rig_start(&b, NULL);
    rig_wait(b.told > 0 && lists(&b, "169.254.7.1"));
    for (gsize i = 0; i < b.address_count; i++) {
        MeshPath path = b.addresses[i];
        if (path.family == 4 && mesh_path_is_link_local(&path)) {
            g_assert_cmpuint(path.interface, !=, 0);
            path.interface = 0;
            net_send(a.net, 0, &path, rig_bytes("by IPv4"));
        }
    }
    rig_wait(rig_got(&b, "by IPv4", &got));
    g_assert_cmpuint(got.path.interface, !=, 0);
    rig_stop(&a);
    rig_stop(&b);
}

static void test_changes(void) {
    Rig a;
    clear();
    shell("ip link set lo up;" CABLE);
    rig_start(&a, NULL);
    rig_wait(a.told > 0);
    shell("ip address add 10.1.2.3/24 dev v0; ip address add 198.51.100.7/24 dev v0;"
          "ip address add fd00::7/64 dev v1 nodad; ip address add 2001:db8::7/64 dev v1 nodad");
    rig_wait(lists(&a, "2001:db8::7"));
    g_assert_true(a.woke);
    /* Best first, told together; loopback is of no use any more. */
    g_assert_cmpuint(a.told, <, 5);
    g_assert_cmpuint(a.address_count, ==, 6);
    g_assert_cmpuint(a.addresses[0].ip[0], ==, 0x20);
    g_assert_cmpuint(a.addresses[1].ip[0], ==, 0xfd);
    g_assert_cmpuint(a.addresses[2].ip[0], ==, 198);
    g_assert_cmpuint(a.addresses[3].ip[0], ==, 10);
    g_assert_true(mesh_path_is_link_local(&a.addresses[5]));
    /* Deprecated addresses are on their way out; unusable ones never came. */
    shell("ip address change 2001:db8::7/64 dev v1 preferred_lft 0");
    rig_wait(!lists(&a, "2001:db8::7"));
    shell("ip address delete 10.1.2.3/24 dev v0");
    rig_wait(!lists(&a, "10.1.2.3"));
    shell("ip link delete v0");
    rig_wait(!lists(&a, "fe80::a"));
    g_assert_true(lists(&a, "127.0.0.1"));
    /* Another cable: heard there too. */
    shell(CABLE);
    rig_wait(lists(&a, "fe80::a"));
    Rig b;
    rig_start(&b, NULL);
    net_beacon(b.net, rig_bytes("after all this"));
    rig_wait(rig_got(&a, "after all this", NULL));
    rig_stop(&b);
    rig_stop(&a);
}

/* A cable pulled and put back: the same addresses, but whoever was there may not be any more. */
static void test_flap(void) {
    Rig a;
    clear();
    shell("ip link set lo up;" CABLE "; ip address add 10.1.2.3/24 dev v0");
    rig_start(&a, NULL);
    rig_wait(a.told > 0);
    shell("ip address add 10.1.2.4/32 dev v0");
    rig_wait(a.told >= 2);
    shell("ip link set v1 down; ip link set v1 up; ip address add fe80::b/64 dev v1 nodad");
    rig_wait(a.told >= 3 && lists(&a, "fe80::b"));
    g_assert_true(a.woke);
    rig_stop(&a);
}

/* More addresses than are told; more interfaces than the kernel lets a socket listen on. */
static void test_crowd(void) {
    Rig a;
    clear();
    shell("ip link set lo up;" CABLE ";"
          "for i in $(seq 30); do ip address add 10.1.$i.1/24 dev v0;"
          "ip address add 2001:db8:$i::1/64 dev v0 nodad; ip link add d$i type veth peer name e$i;"
          "ip link set d$i up; ip link set e$i up; done");
    meet();
    rig_start(&a, NULL);
    rig_wait(a.told > 0);
    g_assert_cmpuint(a.address_count, ==, MESH_ADDRESSES_MAX);
    rig_stop(&a);
    shell("for i in $(seq 30); do ip link delete d$i; done");
}

/* Runs itself in new namespaces, where it may do as it likes, or says why not. */
static int go_inside(char **argv) {
    static const char *const probe[] = {
        "unshare",
        "-Urn",
        "sh",
        "-ec",
        "ip link set lo up; ip link add v0 type veth peer name v1; ip link set v0 up;"
        "ip address add fe80::a/64 dev v0 nodad",
        NULL};
    gint status = -1;
    gboolean ran =
        g_spawn_sync(NULL, (char **)probe, NULL,
                     G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL | G_SPAWN_STDOUT_TO_DEV_NULL,
                     NULL, NULL, NULL, NULL, &status, NULL);
    if (!ran || status != 0) {
        puts("1..0 # SKIP no network namespaces with cables and IPv6 here (unshare -Urn ip)");
        return 0;
    }
    g_setenv(INSIDE, "1", TRUE);
    GPtrArray *words = g_ptr_array_new();
    g_ptr_array_add(words, (gpointer) "unshare");
    g_ptr_array_add(words, (gpointer) "-Urn");
    for (char **word = argv; *word != NULL; word++) {
        g_ptr_array_add(words, *word);
    }
    g_ptr_array_add(words, NULL);
    execvp("unshare", (char **)words->pdata);
    return 1;
}

int main(int argc, char **argv) {
    if (g_getenv(INSIDE) == NULL) {
        return go_inside(argv);
    }
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/node/net/watch/nothing", test_nothing);
    g_test_add_func("/node/net/watch/loopback", test_loopback);
    g_test_add_func("/node/net/watch/link-local", test_link_local);
    g_test_add_func("/node/net/watch/link-local-v4", test_link_local_v4);
    g_test_add_func("/node/net/watch/changes", test_changes);
    g_test_add_func("/node/net/watch/flap", test_flap);
    g_test_add_func("/node/net/watch/crowd", test_crowd);
    return g_test_run();
}
