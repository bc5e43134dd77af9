/* SPDX-License-Identifier: MPL-2.0 */
/* The envelope of the journal: there and back, sealed and signed, every byte of it counting. */
#include <sodium.h>

#include "tests/unit/mesh_writer.h"

static const MeshHash MEETING = {"a meeting id of thirty-two byte"};
static const char PUBLIC[] = "a public act";
static const char PLAIN[] = "what only members read";

typedef struct {
    Writer author;
    EpochKey key;
    MeshHash cited[MESH_CITED_MAX];
    Written first, second;
} World;

static void world_init(World *world) {
    memset(world, 0, sizeof *world);
    writer_init(&world->author, 1);
    epoch_key_init(&world->key, (const uint8_t *)"the key of the epoch, 32 bytes..");
    for (uint8_t i = 0; i < MESH_CITED_MAX; i++) {
        world->cited[i].bytes[0] = i;
    }
    writer_write(&world->author, &MEETING, world->cited, 2, BYTES_OF(PUBLIC), BYTES_OF(PLAIN),
                 &world->key, &world->first);
    writer_write(&world->author, &MEETING, NULL, 0, BYTES_NONE, BYTES_OF(PLAIN), &world->key,
                 &world->second);
}

static void test_round_trip(void) {
    World world;
    Entry entry;
    uint8_t plain[MESH_ENTRY_MAX];
    size_t length;

    world_init(&world);
    g_assert_cmpint(entry_read(world.first.bytes, world.first.length, &entry), ==, MESH_OK);
    g_assert_cmpint(entry_verify(&entry, &MEETING), ==, MESH_OK);
    g_assert_true(mesh_key_equal(&entry.author, &world.author.self.key));
    g_assert_cmpmem(entry.chain, ENTRY_CHAIN_SIZE, world.author.chain, ENTRY_CHAIN_SIZE);
    g_assert_cmpuint(entry.sequence, ==, 0);
    g_assert_false(entry.has_previous);
    g_assert_cmpuint(entry.cited_count, ==, 2);
    g_assert_true(mesh_hash_equal(&entry.cited[1], &world.cited[1]));
    g_assert_cmpmem(entry.public_act.data, (int)entry.public_act.length, PUBLIC, sizeof PUBLIC);
    g_assert_true(entry.has_sealed);
    g_assert_cmpint(entry_open(&entry, &world.key, plain, &length), ==, MESH_OK);
    g_assert_cmpmem(plain, (int)length, PLAIN, sizeof PLAIN);

    g_assert_cmpint(entry_read(world.second.bytes, world.second.length, &entry), ==, MESH_OK);
    g_assert_true(entry.has_previous);
    g_assert_true(mesh_hash_equal(&entry.previous, &world.first.hash));
    g_assert_cmpuint(entry.public_act.length, ==, 0);
    g_assert_cmpint(entry_open(&entry, &world.key, plain, &length), ==, MESH_OK);
}

/* All but the body, under the name of the whole; to whoever sends it, it is malformed. */
static void test_husk(void) {
    World world;
    Entry entry, husk;
    uint8_t bytes[MESH_ENTRY_MAX], plain[MESH_ENTRY_MAX];
    size_t length;

    world_init(&world);
    g_assert_cmpint(entry_read_kept(world.first.bytes, world.first.length, &entry), ==, MESH_OK);
    g_assert_false(entry_is_husk(BYTES_AT(world.first.bytes, world.first.length)));
    length = entry_write_husk(&entry, bytes);
    g_assert_cmpuint(length, <, world.first.length);
    g_assert_true(entry_is_husk(BYTES_AT(bytes, length)));
    g_assert_cmpint(entry_read(bytes, length, &husk), ==, MESH_ERROR_MALFORMED);
    g_assert_cmpint(entry_read_kept(bytes, length, &husk), ==, MESH_OK);
    g_assert_true(mesh_hash_equal(&husk.hash, &world.first.hash));
    g_assert_true(mesh_key_equal(&husk.author, &entry.author));
    g_assert_cmpmem(husk.chain, ENTRY_CHAIN_SIZE, entry.chain, ENTRY_CHAIN_SIZE);
    g_assert_cmpmem(husk.key_id, ENTRY_KEY_ID_SIZE, entry.key_id, ENTRY_KEY_ID_SIZE);
    g_assert_cmpmem(husk.public_act.data, (int)husk.public_act.length, PUBLIC, sizeof PUBLIC);
    g_assert_cmpuint(husk.cited_count, ==, 2);
    g_assert_false(husk.has_sealed);
    g_assert_cmpint(entry_open(&husk, &world.key, plain, &length), ==, MESH_ERROR_FORGED);
    length = entry_write_husk(&entry, bytes);
    for (size_t cut = 0; cut < length; cut++) {
        g_assert_cmpint(entry_read_kept(bytes, cut, &husk), ==, MESH_ERROR_MALFORMED);
    }
    g_assert_false(entry_is_husk(BYTES_NONE));
}

/* Nothing sealed, whether a key is at hand or not. */
static void test_public_only(void) {
    World world;
    Entry entry;
    uint8_t plain[MESH_ENTRY_MAX];
    size_t length;

    world_init(&world);
    for (guint with_key = 0; with_key < 2; with_key++) {
        writer_write(&world.author, &MEETING, NULL, 0, BYTES_OF(PUBLIC), BYTES_NONE,
                     with_key ? &world.key : NULL, &world.first);
        g_assert_cmpint(entry_read(world.first.bytes, world.first.length, &entry), ==, MESH_OK);
        g_assert_false(entry.has_sealed);
        g_assert_cmpint(entry_verify(&entry, &MEETING), ==, MESH_OK);
        g_assert_cmpint(entry_open(&entry, &world.key, plain, &length), ==, MESH_ERROR_FORGED);
    }
}

static void test_genesis(void) {
    World world;
    Entry entry;

    world_init(&world);
    writer_restart(&world.author);
    writer_write(&world.author, NULL, NULL, 0, BYTES_OF(PUBLIC), BYTES_NONE, NULL, &world.first);
    g_assert_cmpint(entry_read(world.first.bytes, world.first.length, &entry), ==, MESH_OK);
    g_assert_cmpint(entry_verify(&entry, NULL), ==, MESH_OK);
    g_assert_cmpint(entry_verify(&entry, &MEETING), ==, MESH_ERROR_FORGED);
    g_assert_cmpint(entry_read(world.second.bytes, world.second.length, &entry), ==, MESH_OK);
    g_assert_cmpint(entry_verify(&entry, NULL), ==, MESH_ERROR_FORGED);
}

/* The tag in clear is only eight bytes of the meeting's id: the signature covers them all. */
static void test_other_meeting(void) {
    World world;
    Entry entry;
    MeshHash other = MEETING;

    world_init(&world);
    other.bytes[31] ^= 1;
    g_assert_cmpint(entry_read(world.first.bytes, world.first.length, &entry), ==, MESH_OK);
    g_assert_cmpint(entry_verify(&entry, &other), ==, MESH_ERROR_FORGED);
}

static void test_wrong_key(void) {
    World world;
    Entry entry;
    EpochKey other;
    uint8_t plain[MESH_ENTRY_MAX];
    size_t length;

    world_init(&world);
    g_assert_cmpint(entry_read(world.first.bytes, world.first.length, &entry), ==, MESH_OK);
    epoch_key_init(&other, (const uint8_t *)"the key of another epoch, 32 ...");
    g_assert_cmpint(entry_open(&entry, &other, plain, &length), ==, MESH_ERROR_FORGED);
    memcpy(other.id, world.key.id, sizeof other.id);
    g_assert_cmpint(entry_open(&entry, &other, plain, &length), ==, MESH_ERROR_FORGED);
}

/* A bit changed anywhere is seen by the reader or by the signature. */
static void test_mutated(void) {
    World world;
    guint malformed = 0, forged = 0;

    world_init(&world);
    for (gsize bit = 0; bit < world.first.length * 8; bit++) {
        Entry entry;

        world.first.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (entry_read(world.first.bytes, world.first.length, &entry)) {
            malformed++;
        } else {
            g_assert_cmpint(entry_verify(&entry, &MEETING), ==, MESH_ERROR_FORGED);
            g_assert_false(mesh_hash_equal(&entry.hash, &world.first.hash));
            forged++;
        }
        world.first.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    g_assert_cmpuint(malformed, >, 0);
    g_assert_cmpuint(forged, >, malformed);
}

static void test_lengths(void) {
    World world;
    Entry entry;

    world_init(&world);
    for (size_t length = 0; length < world.first.length; length++) {
        g_autofree uint8_t *copy = g_memdup2(world.first.bytes, MAX(length, 1));

        g_assert_cmpint(entry_read(copy, length, &entry), ==, MESH_ERROR_MALFORMED);
    }
    memset(world.first.bytes + world.first.length, 0, 8);
    g_assert_cmpint(entry_read(world.first.bytes, world.first.length + 1, &entry), ==,
                    MESH_ERROR_MALFORMED);
}

static void test_garbage(void) {
    uint8_t bytes[600], seed[32] = {2};

    for (size_t length = 0; length <= sizeof bytes; length++) {
        g_autofree uint8_t *copy = NULL;
        Entry entry;

        seed[1] = (uint8_t)length;
        seed[2] = (uint8_t)(length >> 8);
        randombytes_buf_deterministic(bytes, sizeof bytes, seed);
        bytes[0] = 0x8b;
        bytes[1] = 1;
        copy = g_memdup2(bytes, MAX(length, 1));
        g_assert_cmpint(entry_read(copy, length, &entry), ==, MESH_ERROR_MALFORMED);
    }
}

/* The largest act there may be still fits beside sixteen citations, and no larger one. */
static void test_sizes(void) {
    static uint8_t plain[MESH_ENTRY_PLAIN_MAX + 1], public[MESH_ENTRY_MAX];
    World world;
    EntryDraft draft = {.meeting = &MEETING, .cited_count = MESH_CITED_MAX};
    Entry entry;
    size_t length;

    world_init(&world);
    draft.cited = world.cited;
    draft.key = &world.key;
    draft.sequence = UINT64_MAX;
    draft.previous = &world.first.hash;
    draft.plain = BYTES_AT(plain, MESH_ENTRY_PLAIN_MAX);
    g_assert_cmpint(entry_write(&draft, &world.author.self, world.first.bytes, &length), ==,
                    MESH_OK);
    g_assert_cmpint(entry_read(world.first.bytes, length, &entry), ==, MESH_OK);
    draft.plain = BYTES_OF(plain);
    g_assert_cmpint(entry_write(&draft, &world.author.self, world.first.bytes, &length), ==,
                    MESH_ERROR_TOO_LARGE);
    draft.plain = BYTES_AT(plain, MESH_ENTRY_PLAIN_MAX);
    draft.public_act = BYTES_OF(public);
    g_assert_cmpint(entry_write(&draft, &world.author.self, world.first.bytes, &length), ==,
                    MESH_ERROR_TOO_LARGE);
    draft.public_act = BYTES_NONE;
    draft.cited_count = MESH_CITED_MAX + 1;
    g_assert_cmpint(entry_write(&draft, &world.author.self, world.first.bytes, &length), ==,
                    MESH_ERROR_TOO_LARGE);
}

/* The nonce is bound to header and content: one that is not is refused though it opens. */
static void test_nonce(void) {
    World world;
    Entry entry;
    uint8_t sealed[200], plain[MESH_ENTRY_MAX];
    unsigned long long sealed_length;
    size_t length;

    world_init(&world);
    g_assert_cmpint(entry_read(world.first.bytes, world.first.length, &entry), ==, MESH_OK);
    memset(sealed, 7, 24);
    crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + 24, &sealed_length, (const uint8_t *)PLAIN,
                                               sizeof PLAIN, entry.header.data, entry.header.length,
                                               NULL, sealed, world.key.key);
    entry.sealed = BYTES_AT(sealed, 24 + (size_t)sealed_length);
    g_assert_cmpint(entry_open(&entry, &world.key, plain, &length), ==, MESH_ERROR_FORGED);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(sodium_init(), >=, 0);
    g_test_add_func("/mesh/entry/round-trip", test_round_trip);
    g_test_add_func("/mesh/entry/husk", test_husk);
    g_test_add_func("/mesh/entry/public-only", test_public_only);
    g_test_add_func("/mesh/entry/genesis", test_genesis);
    g_test_add_func("/mesh/entry/other-meeting", test_other_meeting);
    g_test_add_func("/mesh/entry/wrong-key", test_wrong_key);
    g_test_add_func("/mesh/entry/mutated", test_mutated);
    g_test_add_func("/mesh/entry/lengths", test_lengths);
    g_test_add_func("/mesh/entry/garbage", test_garbage);
    g_test_add_func("/mesh/entry/sizes", test_sizes);
    g_test_add_func("/mesh/entry/nonce", test_nonce);
    return g_test_run();
}
