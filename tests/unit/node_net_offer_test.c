/* SPDX-License-Identifier: MPL-2.0 */
/* ICE offers: what is written is read, and nothing else. */
#include <glib.h>
#include <string.h>

#include "mesh/limits.h"
#include "node/net/offer.h"

static NetOffer make(guint count) {
    NetOffer offer = {.ufrag = "aB3+", .password = "0123456789abcdefABCD/+", .count = count};
    for (guint i = 0; i < count; i++) {
        NetCandidate *candidate = &offer.candidates[i];
        candidate->type = i % 2 == 0 ? NET_CANDIDATE_HOST : NET_CANDIDATE_SERVER_REFLEXIVE;
        candidate->priority = 2130706431 - i;
        g_snprintf(candidate->foundation, sizeof candidate->foundation, "%u", i + 1);
        candidate->path = (MeshPath){.kind = MESH_PATH_KNOCK,
                                     .family = i % 3 == 0 ? 4 : 6,
                                     .port = (guint16)(1000 + i),
                                     .ip = {192, 0, 2, 1}};
        candidate->path.ip[15] = i % 3 == 0 ? 0 : (guint8)i;
    }
    return offer;
}

static void test_round(void) {
    guint8 bytes[MESH_OFFER_MAX];
    for (guint count = 0; count <= NET_OFFER_CANDIDATES; count++) {
        NetOffer offer = make(count), read;
        gsize length = net_offer_write(&offer, bytes, sizeof bytes);
        g_assert_true(net_offer_read((Bytes){bytes, length}, &read));
        g_assert_cmpstr(read.ufrag, ==, offer.ufrag);
        g_assert_cmpstr(read.password, ==, offer.password);
        g_assert_cmpuint(read.count, ==, count);
        for (guint i = 0; i < count; i++) {
            const NetCandidate *a = &read.candidates[i], *b = &offer.candidates[i];
            g_assert_cmpint(a->type, ==, b->type);
            g_assert_cmpuint(a->priority, ==, b->priority);
            g_assert_cmpstr(a->foundation, ==, b->foundation);
            g_assert_true(mesh_path_equal(&a->path, &b->path));
        }
    }
}

/* What a laptop with one network offers leaves room for the rest of a handshake. */
static void test_small(void) {
    guint8 bytes[MESH_OFFER_MAX];
    NetOffer offer = make(4);
    g_assert_cmpuint(net_offer_write(&offer, bytes, sizeof bytes), <, 130);
}

static void test_crowded(void) {
    guint8 bytes[100];
    NetOffer offer = make(NET_OFFER_CANDIDATES), read;
    gsize length = net_offer_write(&offer, bytes, sizeof bytes);
    g_assert_true(net_offer_read((Bytes){bytes, length}, &read));
    g_assert_cmpuint(read.count, ==, 3);
    g_assert_cmpuint(net_offer_write(&offer, bytes, 20), ==, 0);
}

static void test_truncated(void) {
    guint8 bytes[MESH_OFFER_MAX + 1];
    NetOffer offer = make(5), read;
    gsize length = net_offer_write(&offer, bytes, MESH_OFFER_MAX);
    for (gsize cut = 0; cut < length; cut++) {
        g_autofree guint8 *exact = g_memdup2(bytes, cut);
        g_assert_false(net_offer_read((Bytes){exact, cut}, &read));
    }
    bytes[length] = 0;
    g_assert_false(net_offer_read((Bytes){bytes, length + 1}, &read));
    g_assert_false(net_offer_read((Bytes){NULL, 0}, &read));
}

static void refuse(const NetOffer *offer) {
    guint8 bytes[MESH_OFFER_MAX];
    NetOffer read;
    gsize length = net_offer_write(offer, bytes, sizeof bytes);
    g_assert_cmpuint(length, >, 0);
    g_assert_false(net_offer_read((Bytes){bytes, length}, &read));
}

static void test_senseless(void) {
    static const guint8 nowhere[][16] = {
        {224, 0, 0, 1}, {239, 255, 77, 108}, {255, 255, 255, 255}, {0, 0, 0, 0}};
    NetOffer offer = make(1);
    for (guint i = 0; i < G_N_ELEMENTS(nowhere); i++) {
        memcpy(offer.candidates[0].path.ip, nowhere[i], 16);
        refuse(&offer);
    }
    static const guint8 nowhere6[][16] = {
        {0xff, 2, [15] = 1}, {0}, {[10] = 0xff, 0xff, 127, 0, 0, 1}, {[12] = 10, 0, 0, 1}};
    offer.candidates[0].path.family = 6;
    for (guint i = 0; i < G_N_ELEMENTS(nowhere6); i++) {
        memcpy(offer.candidates[0].path.ip, nowhere6[i], 16);
        refuse(&offer);
    }
    offer = make(1);
    offer.candidates[0].path.port = 0;
    refuse(&offer);
    offer = make(1);
    offer.candidates[0].type = 4;
    refuse(&offer);
    offer = make(1);
    offer.candidates[0].foundation[0] = '\0';
    refuse(&offer);
    offer = make(1);
    offer.candidates[0].priority = 0;
    refuse(&offer);
    offer = make(0);
    strcpy(offer.ufrag, "abc");
    refuse(&offer);
    strcpy(offer.ufrag, "ab\r\n");
    refuse(&offer);
    offer = make(0);
    strcpy(offer.password, "short");
    refuse(&offer);
}

static void test_random(void) {
    guint8 bytes[MESH_OFFER_MAX];
    NetOffer offer = make(6), read;
    gsize length = net_offer_write(&offer, bytes, sizeof bytes);
    for (guint i = 0; i < 200000; i++) {
        guint8 mutated[MESH_OFFER_MAX];
        memcpy(mutated, bytes, length);
        for (guint j = 0; j <= i % 4; j++) {
            mutated[g_test_rand_int_range(0, (gint)length)] = (guint8)g_test_rand_int();
        }
        if (net_offer_read((Bytes){mutated, length}, &read)) {
            g_assert_cmpuint(strlen(read.password), >=, 22);
            g_assert_cmpuint(read.count, <=, NET_OFFER_CANDIDATES);
        }
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/node/net/offer/round", test_round);
    g_test_add_func("/node/net/offer/small", test_small);
    g_test_add_func("/node/net/offer/crowded", test_crowded);
    g_test_add_func("/node/net/offer/truncated", test_truncated);
    g_test_add_func("/node/net/offer/senseless", test_senseless);
    g_test_add_func("/node/net/offer/random", test_random);
    return g_test_run();
}
