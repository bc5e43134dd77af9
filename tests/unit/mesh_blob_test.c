/* SPDX-License-Identifier: MPL-2.0 */
/* Documents as trees of blocks: written, then read in any order, with damage and with holes. */
#include <glib.h>
#include <sodium.h>
#include <string.h>

#include "tests/unit/mesh_blob_document.h"

static const guint64 sizes[] = {
    0,          1,         4095,
    4096,       4097,      128 * 4096 - 1,
    128 * 4096, 524289,    256 * 4096,
    129 * 4096, 3000000,   128 * 128 * 4096ull,
    67108865,   104857599, MESH_DOCUMENT_SIZE_MAX,
};

static void test_fetched_in_order(void) {
    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        Document *document = document_write(sizes[i]);
        Blob *blob = announced(document);
        BlobPlace place;
        guint count = 0;
        g_assert_cmpuint(blob_have(blob), ==, 0);
        g_assert_false(blob_is_whole(blob));
        while (blob_want_next(blob, &place)) {
            g_assert_false(blob_has(blob, place));
            g_assert_cmpint(blob_take(blob, place, stored(document, place)), ==, MESH_OK);
            g_assert_cmpint(blob_take(blob, place, stored(document, place)), ==,
                            MESH_ERROR_REPLAYED);
            g_assert_false(blob_is_whole(blob));
            blob_mark(blob, place);
            g_assert_true(blob_has(blob, place));
            g_assert_cmpint(blob_take(blob, place, stored(document, place)), ==,
                            MESH_ERROR_REPLAYED);
            count++;
        }
        g_assert_cmpuint(count, ==, g_hash_table_size(document->blocks));
        assert_whole(document, blob);
        assert_leaves(document, blob);
        blob_destroy(blob);
        document_free(document);
    }
}

static void test_shape(void) {
    static const struct {
        guint64 size;
        guint counts[BLOB_LEVELS];
        guint top;
    } shapes[] = {
        {0, {1}, 0},
        {1, {1}, 0},
        {4096, {1}, 0},
        {4097, {2, 1}, 1},
        {128 * 4096, {128, 1}, 1},
        {128 * 4096 + 1, {129, 2, 1}, 2},
        {128 * 128 * 4096, {16384, 128, 1}, 2},
        {MESH_DOCUMENT_SIZE_MAX, {25600, 200, 2, 1}, 3},
    };
    static const MeshHash root;
    for (guint i = 0; i < G_N_ELEMENTS(shapes); i++) {
        Blob *blob = blob_create(id, &root, shapes[i].size);
        g_assert_cmpuint(blob_top(blob), ==, shapes[i].top);
        g_assert_cmpuint(blob_leaf_count(shapes[i].size), ==, shapes[i].counts[0]);
        for (guint level = 0; level < BLOB_LEVELS; level++) {
            guint count = shapes[i].counts[level];
            g_assert_cmpuint(blob_count(blob, (uint8_t)level), ==, count);
            g_assert_cmpuint(blob_block_size(blob, (BlobPlace){(uint8_t)level, count}), ==, 0);
        }
        g_assert_cmpuint(blob_count(blob, BLOB_LEVELS), ==, 0);
        g_assert_cmpuint(blob_count(blob, 255), ==, 0);
        g_assert_cmpmem(blob_id(blob), ACT_DOCUMENT_ID_SIZE, id, ACT_DOCUMENT_ID_SIZE);
        blob_destroy(blob);
    }
    g_assert_null(blob_create(id, &root, MESH_DOCUMENT_SIZE_MAX + 1ull));
    g_assert_null(blob_create(id, &root, G_MAXUINT64));
    g_assert_null(blob_writer_create(id, key, MESH_DOCUMENT_SIZE_MAX + 1ull));
    g_assert_cmpuint(blob_leaf_count(G_MAXUINT64), ==, G_MAXUINT32);
    blob_destroy(NULL);
    blob_writer_destroy(NULL);
}

static void test_writer_refuses(void) {
    uint8_t bytes[BLOB_BLOCK_SIZE + 1] = {0};
    BlobWriter *writer = blob_writer_create(id, key, BLOB_BLOCK_SIZE + 10);
    BlobBlock made;
    MeshHash root;
    g_assert_false(blob_writer_next(writer, &made));
    g_assert_cmpint(blob_writer_leaf(writer, BYTES_AT(bytes, 0)), ==, MESH_ERROR_INVALID);
    g_assert_cmpint(blob_writer_leaf(writer, BYTES_AT(bytes, 10)), ==, MESH_ERROR_INVALID);
    g_assert_cmpint(blob_writer_leaf(writer, BYTES_OF(bytes)), ==, MESH_ERROR_INVALID);
    g_assert_cmpint(blob_writer_leaf(writer, BYTES_AT(bytes, 4096)), ==, MESH_OK);
    g_assert_cmpint(blob_writer_leaf(writer, BYTES_AT(bytes, 10)), ==, MESH_ERROR_STATE);
    g_assert_true(blob_writer_next(writer, &made));
    g_assert_cmpint(blob_writer_leaf(writer, BYTES_AT(bytes, 11)), ==, MESH_ERROR_INVALID);
    g_assert_cmpint(blob_writer_leaf(writer, BYTES_AT(bytes, 10)), ==, MESH_OK);
    g_assert_cmpint(blob_writer_end(writer, &root), ==, MESH_ERROR_STATE);
    g_assert_true(blob_writer_next(writer, &made));
    g_assert_cmpint(blob_writer_end(writer, &root), ==, MESH_OK);
    g_assert_true(blob_writer_next(writer, &made));
    g_assert_cmpuint(made.place.level, ==, 1);
    g_assert_cmpuint(made.block.length, ==, 2 * MESH_HASH_SIZE);
    g_assert_false(blob_writer_next(writer, &made));
    g_assert_cmpint(blob_writer_leaf(writer, BYTES_AT(bytes, 0)), ==, MESH_ERROR_INVALID);
    blob_writer_destroy(writer);
}

/* Fixed once: another implementation must come to the same root. */
static void test_root_known(void) {
    uint8_t bytes[BLOB_BLOCK_SIZE] = {1, 2, 3};
    uint8_t where[ACT_DOCUMENT_ID_SIZE + 1] = {0};
    MeshHash leaf, root, expected;
    BlobWriter *writer = blob_writer_create(id, key, sizeof(bytes));
    BlobBlock made;
    g_assert_cmpint(blob_writer_leaf(writer, BYTES_OF(bytes)), ==, MESH_OK);
    g_assert_true(blob_writer_next(writer, &made));
    memcpy(where, id, sizeof(id));
    domain_hash(leaf.bytes, MESH_HASH_SIZE, "block", BYTES_OF(where), made.block);
    g_assert_cmpint(blob_writer_end(writer, &root), ==, MESH_OK);
    g_assert_false(blob_writer_next(writer, &made));
    g_assert_true(mesh_hash_equal(&root, &leaf));
    /* The cipher against libsodium's one-shot with the leaf's number as the nonce. */
    uint8_t nonce[12] = {7}, other[4] = {0}, ours[4] = {0};
    crypto_stream_chacha20_ietf_xor(other, other, sizeof(other), nonce, key);
    blob_cipher(key, 7, ours, sizeof(ours));
    g_assert_cmpmem(ours, sizeof(ours), other, sizeof(other));
    domain_hash(expected.bytes, MESH_HASH_SIZE, "block", BYTES_OF(where), BYTES_NONE);
    Document *empty = document_write(0);
    g_assert_true(mesh_hash_equal(&empty->root, &expected));
    document_free(empty);
    blob_writer_destroy(writer);
}

static void test_damaged_blocks(void) {
    static const guint64 some[] = {0, 1, 5000, 3000000};
    for (guint i = 0; i < G_N_ELEMENTS(some); i++) {
        Document *document = document_write(some[i]);
        Blob *blob = announced(document);
        BlobPlace place;
        while (blob_want_next(blob, &place)) {
            Bytes right = stored(document, place);
            uint8_t wrong[BLOB_BLOCK_SIZE + 1] = {0};
            if (right.length > 0) {
                memcpy(wrong, right.data, right.length);
                wrong[right.length / 2] ^= 1;
                g_assert_cmpint(blob_take(blob, place, BYTES_AT(wrong, right.length)), ==,
                                MESH_ERROR_FORGED);
                g_assert_cmpint(blob_take(blob, place, BYTES_AT(wrong, right.length - 1)), ==,
                                MESH_ERROR_INVALID);
                wrong[right.length / 2] ^= 1;
            }
            g_assert_cmpint(blob_take(blob, place, BYTES_AT(wrong, right.length + 1)), ==,
                            MESH_ERROR_INVALID);
            g_assert_cmpint(blob_take(blob, place, right), ==, MESH_OK);
            blob_mark(blob, place);
        }
        assert_whole(document, blob);
        blob_destroy(blob);
        document_free(document);
    }
}

/* A block of one place is not right in another, even of the same size. */
static void test_misplaced(void) {
    Document *document = document_write(3 * 4096);
    Blob *blob = announced(document);
    BlobPlace top = {1, 0}, first = {0, 0}, second = {0, 1};
    g_assert_cmpint(blob_take(blob, first, stored(document, first)), ==, MESH_ERROR_STATE);
    g_assert_cmpint(blob_take(blob, top, stored(document, top)), ==, MESH_OK);
    g_assert_cmpint(blob_take(blob, second, stored(document, first)), ==, MESH_ERROR_FORGED);
    g_assert_cmpint(blob_take(blob, first, stored(document, first)), ==, MESH_OK);
    g_assert_cmpint(blob_take(blob, (BlobPlace){0, 3}, stored(document, first)), ==,
                    MESH_ERROR_INVALID);
    g_assert_cmpint(blob_take(blob, (BlobPlace){2, 0}, stored(document, first)), ==,
                    MESH_ERROR_INVALID);
    blob_destroy(blob);
    document_free(document);
}

static void test_given_up(void) {
    Document *document = document_write(300 * 4096);
    Blob *blob = announced(document);
    BlobPlace place, again;
    g_assert_true(blob_want_next(blob, &place));
    g_assert_cmpuint(place.level, ==, 2);
    g_assert_false(blob_want_next(blob, &again));
    blob_give_up(blob, place);
    g_assert_true(blob_want_next(blob, &again));
    g_assert_cmpuint(again.level, ==, 2);
    /* Right but refused by the store: its hashes are of use, and it is wanted again. */
    g_assert_cmpint(blob_take(blob, place, stored(document, place)), ==, MESH_OK);
    blob_give_up(blob, place);
    g_assert_true(blob_want_next(blob, &again));
    g_assert_cmpuint(again.level, ==, 2);
    g_assert_true(blob_want_next(blob, &again));
    g_assert_cmpuint(again.level, ==, 1);
    g_assert_cmpint(blob_take(blob, again, stored(document, again)), ==, MESH_OK);
    blob_mark(blob, place);
    blob_give_up(blob, place);
    g_assert_true(blob_has(blob, place));
    blob_give_up(blob, (BlobPlace){0, 300});
    blob_give_up(blob, (BlobPlace){9, 0});
    blob_destroy(blob);
    document_free(document);
}

/* Fetches what is missing, giving back from the store the hashes that are needed. */
static guint complete(const Document *document, Blob *blob, guint *ret_given) {
    BlobPlace place;
    guint taken = 0;
    gboolean going = TRUE;
    *ret_given = 0;
    while (going) {
        going = FALSE;
        while (blob_wants_hashes(blob, &place)) {
            g_assert_true(blob_has(blob, place));
            g_assert_cmpint(blob_give_hashes(blob, place, stored(document, place)), ==, MESH_OK);
            (*ret_given)++;
            going = TRUE;
        }
        while (blob_want_next(blob, &place)) {
            g_assert_cmpint(blob_take(blob, place, stored(document, place)), ==, MESH_OK);
            blob_mark(blob, place);
            taken++;
            going = TRUE;
        }
    }
    return taken;
}

static void mark_all_but(const Document *document, Blob *blob, GRand *dice, gdouble holes,
                         guint *ret_absent) {
    *ret_absent = 0;
    for (uint8_t level = 0; level < BLOB_LEVELS; level++) {
        for (uint32_t i = 0; i < blob_count(blob, level); i++) {
            if (g_rand_double(dice) < holes) {
                (*ret_absent)++;
            } else {
                blob_mark(blob, (BlobPlace){level, i});
            }
        }
    }
}

static void test_holes(void) {
    static const gdouble holes[] = {0, 0.001, 0.1, 0.5, 0.95, 1};
    static const guint64 some[] = {0, 4096, 4097, 524289, 3000000, 67108865};
    g_autoptr(GRand) dice = g_rand_new_with_seed(3);
    for (guint i = 0; i < G_N_ELEMENTS(some); i++) {
        Document *document = document_write(some[i]);
        for (guint h = 0; h < G_N_ELEMENTS(holes); h++) {
            Blob *blob = announced(document);
            guint absent, given;
            mark_all_but(document, blob, dice, holes[h], &absent);
            g_assert_true(blob_is_whole(blob) == (absent == 0));
            g_assert_cmpuint(complete(document, blob, &given), ==, absent);
            assert_whole(document, blob);
            blob_destroy(blob);
        }
        document_free(document);
    }
}

/* The store's copy of a block of hashes is damaged or gone: it is fetched again. */
/* Leaves may be asked for together with the hashes they are checked by, and with no others. */
static void test_ahead(void) {
    Document *document = document_write(300 * 4096);
    Blob *blob = announced(document);
    BlobPlace place, top = {2, 0};

    g_assert_false(blob_want_ahead(blob, &place)); /* the top is not asked for yet */
    g_assert_true(blob_want_next(blob, &place));
    g_assert_cmpuint(place.level, ==, 2);
    for (uint32_t i = 0; i < 3; i++) {
        g_assert_true(blob_want_ahead(blob, &place));
        g_assert_cmpuint(place.level, ==, 1);
        g_assert_cmpuint(place.index, ==, i);
        g_assert_false(blob_can_check(blob, place));
    }
    g_assert_true(blob_want_ahead(blob, &place));
    g_assert_cmpuint(place.level, ==, 0);
    g_assert_cmpint(blob_take(blob, place, stored(document, place)), ==, MESH_ERROR_STATE);
    blob_give_up(blob, place);
    g_assert_cmpint(blob_take(blob, top, stored(document, top)), ==, MESH_OK);
    g_assert_true(blob_can_check(blob, (BlobPlace){1, 2}));
    g_assert_false(blob_want_next(blob, &place)); /* those below are asked for already */
    g_assert_false(blob_can_check(blob, (BlobPlace){3, 0}));
    blob_destroy(blob);
    document_free(document);
}

static void test_damaged_store(void) {
    Document *document = document_write(300 * 4096);
    Blob *blob = announced(document);
    g_autoptr(GRand) dice = g_rand_new_with_seed(1);
    uint8_t noise[BLOB_BLOCK_SIZE] = {0};
    BlobPlace place, top = {2, 0}, inner = {1, 1}, leaf = {0, 299};
    guint absent, given;
    mark_all_but(document, blob, dice, 0, &absent);
    assert_whole(document, blob);
    blob_lose(blob, leaf);
    g_assert_false(blob_is_whole(blob));
    g_assert_cmpuint(blob_have(blob), ==, 299 * 4096);
    g_assert_false(blob_want_next(blob, &place)); /* nothing to check it by yet */
    g_assert_true(blob_wants_hashes(blob, &place));
    g_assert_cmpuint(place.level, ==, 2);
    g_assert_cmpint(blob_give_hashes(blob, inner, stored(document, inner)), ==, MESH_ERROR_STATE);
    g_assert_cmpint(blob_give_hashes(blob, top, BYTES_AT(noise, 96)), ==, MESH_ERROR_FORGED);
    g_assert_false(blob_has(blob, top));
    g_assert_true(blob_want_next(blob, &place));
    g_assert_cmpuint(place.level, ==, 2);
    g_assert_cmpint(blob_take(blob, top, stored(document, top)), ==, MESH_OK);
    blob_mark(blob, top);
    g_assert_cmpint(blob_give_hashes(blob, inner, BYTES_NONE), ==, MESH_ERROR_FORGED);
    g_assert_cmpint(blob_give_hashes(blob, inner, BYTES_NONE), ==, MESH_ERROR_STATE);
    g_assert_cmpint(blob_give_hashes(blob, leaf, BYTES_NONE), ==, MESH_ERROR_INVALID);
    g_assert_cmpint(blob_give_hashes(blob, (BlobPlace){1, 3}, BYTES_NONE), ==, MESH_ERROR_INVALID);
    g_assert_cmpuint(complete(document, blob, &given), ==, 2);
    assert_whole(document, blob);
    blob_destroy(blob);
    document_free(document);
}

/* From several neighbours: any order, losses, lies, refusals of the store, a restart. */
static void test_out_of_order(void) {
    static const guint64 some[] = {1, 4097, 524289, 3000000};
    g_autoptr(GRand) dice = g_rand_new_with_seed(77);
    for (guint round = 0; round < 40; round++) {
        Document *document = document_write(some[round % G_N_ELEMENTS(some)]);
        Blob *blob = announced(document);
        g_autoptr(GArray) asked = g_array_new(FALSE, FALSE, sizeof(BlobPlace));
        guint steps = 0;
        while (!blob_is_whole(blob) && steps++ < 100000) {
            BlobPlace place;
            guint chance = g_rand_int_range(dice, 0, 100);
            if (blob_wants_hashes(blob, &place)) {
                blob_give_hashes(blob, place, stored(document, place));
            }
            while (asked->len < 64 && blob_want_next(blob, &place)) {
                g_array_append_val(asked, place);
            }
            if (asked->len == 0) {
                continue;
            }
            guint pick = (guint)g_rand_int_range(dice, 0, (gint)asked->len);
            place = g_array_index(asked, BlobPlace, pick);
            g_array_remove_index_fast(asked, pick);
            if (chance < 10) {
                blob_give_up(blob, place);
                continue;
            }
            if (chance < 20) {
                uint8_t noise[BLOB_BLOCK_SIZE] = {0};
                Bytes lie = BYTES_AT(noise, blob_block_size(blob, place));
                g_assert_cmpint(blob_take(blob, place, lie), ==, MESH_ERROR_FORGED);
                blob_give_up(blob, place);
                continue;
            }
            g_assert_cmpint(blob_take(blob, place, stored(document, place)), ==, MESH_OK);
            if (chance < 30) {
                blob_give_up(blob, place);
            } else {
                blob_mark(blob, place);
            }
            if (chance == 99) {
                Blob *fresh = announced(document);
                for (uint8_t level = 0; level < BLOB_LEVELS; level++) {
                    for (uint32_t i = 0; i < blob_count(blob, level); i++) {
                        if (blob_has(blob, (BlobPlace){level, i})) {
                            blob_mark(fresh, (BlobPlace){level, i});
                        }
                    }
                }
                g_assert_cmpuint(blob_have(fresh), ==, blob_have(blob));
                blob_destroy(blob);
                blob = fresh;
                g_array_set_size(asked, 0);
            }
        }
        assert_whole(document, blob);
        blob_destroy(blob);
        document_free(document);
    }
}

/* Any call with any argument: nothing is believed that is not right. */
static void test_garbage(void) {
    g_autoptr(GRand) dice = g_rand_new_with_seed(9);
    Document *document = document_write(3000000);
    Blob *blob = announced(document);
    for (guint i = 0; i < 300000; i++) {
        uint8_t bytes[BLOB_BLOCK_SIZE + 32] = {(uint8_t)i};
        BlobPlace place = {.level = (uint8_t)g_rand_int_range(dice, 0, 6),
                           .index = i % 7 == 0 ? g_rand_int(dice)
                                               : (uint32_t)g_rand_int_range(dice, 0, 800)};
        gsize length = i % 3 == 0 ? (gsize)g_rand_int_range(dice, 0, sizeof(bytes))
                                  : blob_block_size(blob, place);
        switch (g_rand_int_range(dice, 0, 8)) {
        case 0:
            g_assert_cmpint(blob_take(blob, place, BYTES_AT(bytes, length)), !=, MESH_OK);
            break;
        case 1:
            g_assert_cmpint(blob_give_hashes(blob, place, BYTES_AT(bytes, length)), !=, MESH_OK);
            break;
        case 2:
            if (blob_block_size(blob, place) > 0) {
                blob_take(blob, place, stored(document, place));
            }
            break;
        case 3:
            blob_mark(blob, place);
            break;
        case 4:
            blob_lose(blob, place);
            break;
        case 5:
            blob_give_up(blob, place);
            break;
        case 6:
            blob_want_next(blob, &place);
            break;
        case 7:
            if (blob_wants_hashes(blob, &place)) {
                blob_give_hashes(blob, place, stored(document, place));
            }
            break;
        }
    }
    guint given;
    BlobPlace place;
    for (uint8_t level = 0; level < BLOB_LEVELS; level++) {
        for (place = (BlobPlace){.level = level}; place.index < blob_count(blob, level);
             place.index++) {
            blob_give_up(blob, place);
        }
    }
    complete(document, blob, &given);
    assert_whole(document, blob);
    blob_destroy(blob);
    document_free(document);
}

static void test_keys(void) {
    uint8_t bytes[BLOB_KEY_SIZE], found[ACT_DOCUMENT_ID_SIZE];
    BlobPlace place = {3, 0x01020304}, read;
    g_assert_cmpuint(blob_key(id, place, bytes), ==, 21);
    g_assert_cmpmem(bytes + 16, 5, "\x03\x04\x03\x02\x01", 5);
    g_assert_true(blob_key_read(BYTES_OF(bytes), found, &read));
    g_assert_cmpmem(found, sizeof(found), id, sizeof(id));
    g_assert_cmpuint(read.level, ==, place.level);
    g_assert_cmpuint(read.index, ==, place.index);
    g_assert_false(blob_key_read(BYTES_AT(bytes, 20), found, &read));
    g_assert_false(blob_key_read(BYTES_NONE, found, &read));
    bytes[16] = BLOB_LEVELS;
    g_assert_false(blob_key_read(BYTES_OF(bytes), found, &read));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(sodium_init(), >=, 0);
    g_test_add_func("/blob/fetched-in-order", test_fetched_in_order);
    g_test_add_func("/blob/shape", test_shape);
    g_test_add_func("/blob/writer-refuses", test_writer_refuses);
    g_test_add_func("/blob/root-known", test_root_known);
    g_test_add_func("/blob/damaged-blocks", test_damaged_blocks);
    g_test_add_func("/blob/misplaced", test_misplaced);
    g_test_add_func("/blob/given-up", test_given_up);
    g_test_add_func("/blob/holes", test_holes);
    g_test_add_func("/blob/ahead", test_ahead);
    g_test_add_func("/blob/damaged-store", test_damaged_store);
    g_test_add_func("/blob/out-of-order", test_out_of_order);
    g_test_add_func("/blob/garbage", test_garbage);
    g_test_add_func("/blob/keys", test_keys);
    return g_test_run();
}
