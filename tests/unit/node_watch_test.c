/* SPDX-License-Identifier: MPL-2.0 */
/* What a page that shows pictures is sent, whatever it asks and however slowly it reads. */
#include <glib.h>
#include <string.h>

#include "node/bus/json.h"
#include "node/page/watch.h"

#define ID_A "0101010101010101010101010101010101010101010101010101010101010101"
#define ID_B "0202020202020202020202020202020202020202020202020202020202020202"

static gboolean set(Watch *watch, const char *text) {
    g_autofree char *whole = g_strdup_printf("{\"watch\":%s}", text);
    g_autoptr(JsonNode) node = json_read(whole, strlen(whole));
    g_assert_nonnull(node);
    return watch_set(watch, json_object_get_member(json_node_get_object(node), "watch"));
}

#define ONE(number, id, kind) "{\"source\":" number ",\"member\":\"" id "\",\"kind\":\"" kind "\"}"

static MeshKey key_of(guint8 byte) {
    MeshKey key;
    memset(key.bytes, byte, sizeof key.bytes);
    return key;
}

static void test_list(void) {
    Watch watch = {0};
    MeshKey a = key_of(1), b = key_of(2);
    g_assert_true(set(&watch, "[]"));
    g_assert_true(watch.claims);
    g_assert_true(set(&watch, "[" ONE("1", ID_A, "video") "," ONE("7", ID_A, "screen") "]"));
    g_assert_cmpuint(watch.count, ==, 2);
    g_assert_nonnull(watch_find(&watch, &a, MESH_STREAM_VIDEO));
    g_assert_true(watch_find(&watch, &a, MESH_STREAM_SCREEN) == watch_numbered(&watch, 7));
    g_assert_null(watch_find(&watch, &b, MESH_STREAM_VIDEO));
    watch_numbered(&watch, 7)->state = WATCH_SEEING;
    g_assert_true(set(&watch, "[" ONE("7", ID_A, "screen") "," ONE("8", ID_B, "video") "]"));
    g_assert_cmpint(watch_numbered(&watch, 7)->state, ==, WATCH_SEEING); /* it goes on */
    g_assert_cmpint(watch_numbered(&watch, 8)->state, ==, WATCH_NOTHING);
    g_assert_true(set(&watch, "null"));
    g_assert_false(watch.claims);
    g_assert_cmpuint(watch.count, ==, 0);
}

static void test_senseless(void) {
    static const char *const lists[] = {
        "1",
        "{}",
        "\"video\"",
        "[1]",
        "[{}]",
        "[" ONE("-1", ID_A, "video") "]",
        "[" ONE("4294967296", ID_A, "video") "]",
        "[" ONE("1", "01", "video") "]",
        "[" ONE("1", ID_A "01", "video") "]",
        "[" ONE("1", ID_A, "voice") "]",
        "[" ONE("1", ID_A, "video") "," ONE("1", ID_B, "video") "]",
        "[" ONE("1", ID_A, "video") "," ONE("2", ID_A, "video") "]",
    };
    Watch watch = {0};
    g_assert_true(set(&watch, "[" ONE("3", ID_A, "video") "]"));
    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
        g_assert_false(set(&watch, lists[i]));
        g_assert_nonnull(watch_numbered(&watch, 3)); /* as before */
    }
    GString *many = g_string_new("[");
    for (guint i = 0; i <= WATCH_SOURCES_MAX; i++) {
        g_string_append_printf(many, "%s{\"source\":%u,\"member\":\"%064x\",\"kind\":\"video\"}",
                               i > 0 ? "," : "", i, i);
    }
    g_string_append_c(many, ']');
    g_assert_false(set(&watch, many->str));
    g_string_free(many, TRUE);
}

typedef struct {
    Watch watch;
    WatchSource *source;
    guint8 payload[2000];
} World;

static void world_begin(World *world) {
    memset(world, 0, sizeof *world);
    g_assert_true(set(&world->watch, "[" ONE("1", ID_A, "video") "]"));
    world->source = watch_numbered(&world->watch, 1);
}

static Picture picture_of(World *world, guint32 number, gboolean keyframe) {
    return (Picture){.kind = MESH_STREAM_VIDEO,
                     .codec = PICTURE_VP8,
                     .keyframe = keyframe,
                     .stream = 5,
                     .number = number,
                     .payload = {world->payload, sizeof world->payload}};
}

static gboolean offer(World *world, const Picture *picture) {
    gboolean sent = watch_admits(&world->watch, world->source, picture);
    if (sent) {
        watch_sent(&world->watch, world->source, picture);
    }
    return sent;
}

static void test_begins_with_a_keyframe(void) {
    World world;
    world_begin(&world);
    Picture delta = picture_of(&world, 10, FALSE), key = picture_of(&world, 11, TRUE);
    Picture kept = picture_of(&world, 3, TRUE), other = picture_of(&world, 0, FALSE);
    kept.age_ms = 900;
    g_assert_false(offer(&world, &delta));
    g_assert_true(watch_wishes(&world.watch, world.source, 1000));
    g_assert_false(watch_wishes(&world.watch, world.source, 1000 + WATCH_ASK_US - 1));
    g_assert_true(watch_wishes(&world.watch, world.source, 1000 + WATCH_ASK_US));
    g_assert_true(offer(&world, &kept));
    g_assert_false(offer(&world, &delta)); /* it refers to others than what was kept */
    g_assert_true(offer(&world, &key));
    delta.number = 12;
    g_assert_true(offer(&world, &delta));
    g_assert_false(offer(&world, &kept)); /* had */
    other.stream = 6;
    g_assert_false(offer(&world, &other)); /* another stream begins with a keyframe too */
    other.keyframe = TRUE;
    g_assert_true(offer(&world, &other));
}

/* Whatever comes, a page that does not read holds up no more than this; then it sees again. */
static void test_bounded(void) {
    World world;
    guint32 number = 0;
    world_begin(&world);
    Picture picture = picture_of(&world, number++, TRUE);
    g_assert_true(offer(&world, &picture));
    for (guint i = 0; i < 10000; i++) {
        picture = picture_of(&world, number++, i % 100 == 99);
        offer(&world, &picture);
        g_assert_cmpuint(world.watch.bytes, <=, WATCH_BYTES_MAX);
        g_assert_cmpuint(world.watch.messages, <=, WATCH_COUNT_MAX);
    }
    g_assert_cmpint(world.source->state, ==, WATCH_BLIND);
    g_assert_false(watch_wishes(&world.watch, world.source, G_USEC_PER_SEC)); /* it reads nothing */
    g_assert_cmpuint(world.watch.messages, >, 0);
    while (world.watch.messages > 0) {
        watch_read(&world.watch, WATCH_HEADER_SIZE + sizeof world.payload);
    }
    g_assert_cmpuint(world.watch.bytes, ==, 0);
    g_assert_true(watch_missed(&world.watch) == world.source); /* what was kept makes up for it */
    g_assert_null(watch_missed(&world.watch));
    picture = picture_of(&world, number++, FALSE);
    g_assert_false(offer(&world, &picture));
    g_assert_true(watch_wishes(&world.watch, world.source, G_USEC_PER_SEC));
    picture = picture_of(&world, number++, TRUE);
    g_assert_true(offer(&world, &picture));
}

/* One larger than all that may wait goes when nothing does. */
static void test_large(void) {
    World world;
    g_autofree guint8 *bytes = g_malloc0(WATCH_BYTES_MAX + 1);
    world_begin(&world);
    Picture picture = picture_of(&world, 1, TRUE);
    picture.payload = (Bytes){bytes, WATCH_BYTES_MAX + 1};
    g_assert_true(offer(&world, &picture));
    picture.number++;
    g_assert_false(offer(&world, &picture));
}

static void test_message(void) {
    World world;
    gsize length = 0;
    static const guint8 header[WATCH_HEADER_SIZE] = {
        1, 2, 1, 0, 1, 0, 0, 0, 5, 0, 0, 0, 9, 0, 0, 0, 0x78, 0x56, 0x34, 0x12, 7, 0, 0, 0, 3,
    };
    world_begin(&world);
    Picture picture = picture_of(&world, 9, TRUE);
    picture.codec = PICTURE_WEBP;
    picture.time_ms = 0x12345678;
    picture.age_ms = 7;
    picture.payload = (Bytes){(const guint8 *)"abc", 3};
    g_autoptr(GBytes) message = watch_message(world.source, &picture);
    const guint8 *bytes = g_bytes_get_data(message, &length);
    g_assert_true(memcmp(bytes, header, sizeof header) == 0);
    g_assert_cmpuint(length, ==, sizeof header + 3);
    g_assert_true(memcmp(bytes + sizeof header, "abc", 3) == 0);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/node/watch/list", test_list);
    g_test_add_func("/node/watch/senseless", test_senseless);
    g_test_add_func("/node/watch/keyframe", test_begins_with_a_keyframe);
    g_test_add_func("/node/watch/bounded", test_bounded);
    g_test_add_func("/node/watch/large", test_large);
    g_test_add_func("/node/watch/message", test_message);
    return g_test_run();
}
